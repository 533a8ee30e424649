use std::{
    fs, thread,
    time::{Duration, Instant},
};

const BUFFER: usize = 300 << 10;
const BUFFERS: usize = 256;
const WITHIN: Duration = Duration::from_secs(20);

/// MiB of memory that no file has.
fn anonymous() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() >> 10
}

#[test]
fn memory_that_was_freed_goes_back_to_the_system_though_its_threads_do_nothing_more() {
    let before = anonymous();
    let maker = thread::spawn(|| (0..BUFFERS).map(|_| vec![1; BUFFER]).collect::<Vec<Vec<u8>>>());
    let buffers = maker.join().unwrap();
    let with_them = anonymous();
    assert!(with_them > before + 60, "{with_them} MiB, {before} MiB before");
    drop(buffers);
    let freed = Instant::now();
    while anonymous() > before + 20 {
        assert!(freed.elapsed() < WITHIN, "{} MiB, {with_them} MiB with the buffers", anonymous());
        thread::sleep(Duration::from_millis(50));
    }
}
