//! Prints what each algorithm takes: MB per second of processor time for large messages, and messages per second for
//! small ones, on one thread. Linux only, because the time is that of the scheduler's statistics.
//!
//! `cargo run --release -p dittofs-smb-security --example throughput`

use std::{error::Error, fs, hint::black_box};

use bytes::BytesMut;
use dittofs_smb_security::{
    NtHash, Sender, SessionKey,
    keys::KeyDerivation,
    preauth::PreauthHash,
    sealing::{Cipher, Opener, Sealer},
    signing::{Signer, SigningAlgorithm},
};

/// Bytes of a READ response in front of its data.
const HEAD: usize = 80;
const SIZES: [usize; 3] = [1 << 20, 64 << 10, 200];
/// The best of so many runs counts, which leaves out what other processes do to the caches.
const RUNS: usize = 3;
/// A run takes at least so long, because the scheduler counts in steps of some milliseconds.
const RUN_SECONDS: f64 = 0.2;

fn main() -> Result<(), Box<dyn Error>> {
    let session_key = SessionKey::new(&[7; 16]);
    let hash = PreauthHash::new();
    let derivation = KeyDerivation::Smb311(&hash);
    println!("{:<28} {:>14} {:>14} {:>16}", "", "1 MiB, MB/s", "64 KiB, MB/s", "200 B, 1000/s");
    for algorithm in [SigningAlgorithm::AesGmac, SigningAlgorithm::AesCmac, SigningAlgorithm::HmacSha256] {
        let signer = Signer::new(algorithm, &derivation.signing_key(&session_key))?;
        print(
            &format!("sign {algorithm:?}, pieces"),
            |size| {
                let (mut head, data) = (vec![0; HEAD], vec![1; size - HEAD]);
                move |signer: &Signer| black_box(signer.sign(Sender::Server, &mut head, &[&data])).is_ok()
            },
            &signer,
        )?;
        print(
            &format!("verify {algorithm:?}, whole"),
            |size| {
                let mut message = vec![1; size];
                let signed = signer.sign(Sender::Client, &mut message, &[]).is_ok();
                move |signer: &Signer| signed && black_box(signer.verify(Sender::Client, &message, &[])).is_ok()
            },
            &signer,
        )?;
    }
    for cipher in [Cipher::Aes128Gcm, Cipher::Aes256Gcm, Cipher::Aes128Ccm, Cipher::Aes256Ccm] {
        let keys = || derivation.cipher_keys(&session_key, cipher).ok_or("no keys");
        let sealer = Sealer::new(keys()?.server_to_client, 1)?;
        let opener = Opener::new(keys()?.server_to_client, 1)?;
        print(
            &format!("seal {cipher:?}, in place"),
            |size| {
                let mut frame = vec![1; size];
                move |sealer: &Sealer| black_box(sealer.seal_in_place(&mut frame)).is_ok()
            },
            &sealer,
        )?;
        print(
            &format!("seal {cipher:?}, pieces"),
            |size| {
                let (head, data, mut frame) = (vec![0; HEAD], vec![1; size - HEAD], BytesMut::new());
                move |sealer: &Sealer| {
                    frame.clear();
                    black_box(sealer.seal(&[&head, &data], &mut frame)).is_ok()
                }
            },
            &sealer,
        )?;
        print(
            &format!("open {cipher:?}, with a copy"),
            |size| {
                let (mut sealed, mut frame) = (BytesMut::new(), vec![]);
                let is_sealed = sealer.seal(&[&vec![1; size]], &mut sealed).is_ok();
                move |opener: &Opener| {
                    frame.clear();
                    frame.extend_from_slice(&sealed);
                    is_sealed && black_box(opener.open_in_place(&mut frame)).is_ok()
                }
            },
            &opener,
        )?;
    }
    print(
        "preauth hash",
        |size| {
            let (mut hash, message) = (PreauthHash::new(), vec![1; size]);
            move |(): &()| {
                hash.update(&[&message]);
                true
            }
        },
        &(),
    )?;
    print(
        "hash of a password",
        |_| move |(): &()| black_box(NtHash::of_password("password")).as_bytes().len() == 16,
        &(),
    )
}

/// Measures an operation at each size, and prints a line.
fn print<K, F: FnMut(&K) -> bool>(name: &str, operation: impl Fn(usize) -> F, key: &K) -> Result<(), Box<dyn Error>> {
    let mut results = Vec::new();
    for size in SIZES {
        let mut operation = operation(size);
        let mut best = f64::MAX;
        for _ in 0..RUNS {
            let (start, mut rounds, mut seconds) = (processor_seconds()?, 0_u32, 0.0);
            while seconds < RUN_SECONDS {
                for _ in 0..(1 << 20) / size {
                    if !operation(key) {
                        return Err(format!("{name} failed").into());
                    }
                    rounds += 1;
                }
                seconds = processor_seconds()? - start;
            }
            best = best.min(seconds / f64::from(rounds));
        }
        results.push(if size < 1000 { 1e-3 / best } else { size as f64 / best / 1e6 });
    }
    let [large, middle, small] = results[..] else { return Err("three sizes".into()) };
    println!("{name:<28} {large:>14.0} {middle:>14.0} {small:>16.0}");
    Ok(())
}

/// The processor time of this process so far.
fn processor_seconds() -> Result<f64, Box<dyn Error>> {
    let statistics = fs::read_to_string("/proc/self/schedstat")?;
    let nanoseconds: u64 = statistics.split(' ').next().ok_or("empty")?.parse()?;
    Ok(nanoseconds as f64 / 1e9)
}
