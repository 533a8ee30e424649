//! Runs the server.

mod configured;

use std::path::Path;
use std::sync::Arc;

use super::{Failure, file_of, load_file};
use crate::cli::ServeOptions;
use crate::config::Config;
use crate::{Program, logging, serve};

/// The variable that the option `--nfs` takes the place of.
const LISTEN: &str = "DITTOFS_ADAPTERS__NFS__LISTEN";

/// Serves until it is to stop.
pub(super) fn run(options: ServeOptions, program: &Program) -> Result<(), Failure> {
    let file = file_of(&options.source)?;
    let config = configuration(&options, file.as_deref(), program)?;
    // Files that clients keep private must not be open to every user of this machine, in whatever store they are.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let logging = logging::init(&config.log);
    let read = file.as_deref().map_or("none: the defaults hold".to_owned(), |file| file.display().to_string());
    configured::log(&config, &read);
    let accepting = serve::Accepting {
        loss: options.accept_loss.iter().cloned().collect(),
        take_over: options.take_over.iter().cloned().collect(),
    };
    let reload = {
        let (logging, program) = (logging.clone(), program.clone());
        move || match configuration(&options, file.as_deref(), &program) {
            Ok(newer) => {
                logging.reload(&newer.log);
                Ok(Some(newer))
            }
            Err(error) => Err(error.to_string()),
        }
    };
    let locked = serve::Locked::take(&config, &accepting)?;
    logging.open_audit(&config.log)?;
    let served = locked.serve(&program.stores, Arc::new(reload));
    logging.finish();
    Ok(served?)
}

/// The configuration, with what the command line says over it.
fn configuration(options: &ServeOptions, file: Option<&Path>, program: &Program) -> Result<Config, Failure> {
    // As if a variable had said so, and over the one that may have.
    let listen = options.nfs.map(|listen| (LISTEN.to_owned(), listen.to_string()));
    let mut config = load_file(&options.source, file, listen, program)?;
    if options.insecure_ports {
        config.shares.iter_mut().for_each(|share| share.secure_ports = false);
    }
    Ok(config)
}
