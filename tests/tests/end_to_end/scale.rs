//! The short form of `tests/scale`.

use std::process::Command;

/// Another process may take the machine for the length of a tenth: a server that really slows down does so each time.
const ATTEMPTS: usize = 3;

#[test]
fn entries_cost_the_same_however_many_there_are() {
    let mut text = String::new();
    for _ in 0..ATTEMPTS {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dittofs-scale"));
        command.args(["--program", env!("CARGO_BIN_EXE_dittofs-under-test")]);
        command.args(["--files", "20000", "--directories", "4000", "--depth", "50"]);
        let output = command.output().unwrap();
        text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        if output.status.success() {
            println!("{text}");
            return;
        }
    }
    panic!("{text}");
}
