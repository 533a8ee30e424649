//! The starts that a share's metadata have given: flags (1 byte), the start that the journal has if bit 0 is set, that
//! of the content store if bit 1 is, then those that were given. A start is its epoch (8 bytes) and its nonce (8).

use dittofs_domain::{
    Epoch,
    ownership::{Lineage, Part, Start},
};

use super::Reader;

const JOURNAL: u8 = 1;
const CONTENT: u8 = 2;

/// No bytes for a share that no server has used.
pub(crate) fn encode(lineage: &Lineage) -> Vec<u8> {
    if *lineage == Lineage::default() {
        return Vec::new();
    }
    let noted = [(JOURNAL, lineage.noted(Part::Journal)), (CONTENT, lineage.noted(Part::Content))];
    let flags = noted.iter().filter(|(_, start)| start.is_some()).fold(0, |flags, (flag, _)| flags | flag);
    let mut out = vec![flags];
    for Start { epoch, nonce } in noted.iter().filter_map(|(_, start)| *start).chain(lineage.given().iter().copied()) {
        out.extend_from_slice(&epoch.0.to_le_bytes());
        out.extend_from_slice(&nonce.to_le_bytes());
    }
    out
}

pub(crate) fn decode(bytes: &[u8]) -> Option<Lineage> {
    let mut reader = Reader::new(bytes);
    let flags = reader.u8().filter(|flags| flags & !(JOURNAL | CONTENT) == 0)?;
    let mut noted = [None, None];
    for (flag, noted) in [JOURNAL, CONTENT].into_iter().zip(&mut noted) {
        if flags & flag != 0 {
            *noted = Some(start(&mut reader)?);
        }
    }
    let mut given = Vec::new();
    while !reader.is_at_end() {
        given.push(start(&mut reader)?);
    }
    let [journal, content] = noted;
    Some(Lineage::new(given, journal, content))
}

fn start(reader: &mut Reader<'_>) -> Option<Start> {
    Some(Start { epoch: Epoch(reader.u64()?), nonce: reader.u64()? })
}
