//! Stand-ins for the crates that the copied sources use: copies too, or as little as will do.

pub(crate) mod admission {
    /// Credits for unflushed bytes.
    #[derive(Debug, Default)]
    pub(crate) struct Credits;
}

pub(crate) mod fault {
    #[derive(Debug)]
    pub(crate) struct Fault;

    impl Fault {
        pub(crate) fn damaged(_: impl Into<String>) -> Fault {
            Fault
        }
    }
}

pub(crate) mod codec {
    use dittofs_domain::{Cookie, NodeId};

    pub(crate) use super::reader::reader::Reader;
    use crate::fault::Fault;

    pub(crate) fn encode_entry(node: NodeId, cookie: Cookie) -> Vec<u8> {
        [node.0.to_le_bytes(), cookie.0.to_le_bytes()].concat()
    }

    pub(crate) fn decode_entry(bytes: &[u8]) -> Result<(NodeId, Cookie), Fault> {
        let mut reader = Reader::new(bytes);
        let mut read = || Some((NodeId(reader.u64()?), Cookie(reader.u64()?)));
        read().ok_or(Fault)
    }
}

mod reader {
    crate::copied!(reader);
}

mod key {
    crate::copied!(keys);
}
pub(crate) use key::keys;

mod steps {
    crate::copied!(redo);
}
pub(crate) use steps::redo;

mod kind {
    crate::copied!(kinds);
}
pub(crate) use kind::kinds as tables;
