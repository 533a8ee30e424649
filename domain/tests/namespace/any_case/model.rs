//! What callers of either kind see: names in the order in which they were made.

use dittofs_domain::{FsError, NodeId, error::FsResult, namespace::CreateHow};

use super::Cased;
use crate::{
    store::TABLE,
    world::{Op, World},
};

/// An entry: where, name, node. The oldest come first; one that is renamed keeps its age.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Row(NodeId, String, NodeId);

#[derive(Clone, Debug, Default)]
pub(super) struct Names(Vec<Row>);

impl Names {
    pub(super) fn enter(&mut self, directory: NodeId, name: &str, node: NodeId) {
        self.0.push(Row(directory, name.into(), node));
    }

    /// What a call does; all nodes are files, but for the directories that none of the names lead to.
    pub(super) fn call(&mut self, call: &Cased, fresh: NodeId) -> FsResult<NodeId> {
        let text = |name: &dittofs_domain::Name| String::from_utf8(name.as_bytes().to_vec()).unwrap();
        match &call.op {
            Op::Create(request) => match self.meant(call.ignores, request.directory, &text(&request.name)) {
                Some(at) if request.how == CreateHow::Unchecked => Ok(self.0[at].2),
                Some(_) => Err(FsError::Exists),
                None => {
                    self.enter(request.directory, &text(&request.name), fresh);
                    Ok(fresh)
                }
            },
            Op::Link(request) => match self.meant(call.ignores, request.directory, &text(&request.name)) {
                _ if !self.0.iter().any(|row| row.2 == request.node) => Err(FsError::Stale),
                Some(_) => Err(FsError::Exists),
                None => {
                    self.enter(request.directory, &text(&request.name), request.node);
                    Ok(request.node)
                }
            },
            Op::Remove(request) => {
                let at = self.meant(call.ignores, request.directory, &text(&request.name)).ok_or(FsError::NotFound)?;
                Ok(self.0.remove(at).2)
            }
            Op::Rename(request) => {
                let (from, to) = (text(&request.from_name), text(&request.to_name));
                let source = self.meant(call.ignores, request.from_directory, &from).ok_or(FsError::NotFound)?;
                let same = request.from_directory == request.to_directory && fold(&from) == fold(&to);
                let target = self.meant(call.ignores && !same, request.to_directory, &to);
                let node = self.0[source].2;
                if target.is_some_and(|target| self.0[target].2 == node) {
                    return Ok(node);
                }
                let row = Row(request.to_directory, to, node);
                self.0[source] = row;
                if let Some(target) = target {
                    self.0.remove(target);
                }
                Ok(node)
            }
            Op::Set(..) => panic!("no rule over names"),
        }
    }

    fn meant(&self, ignores: bool, directory: NodeId, name: &str) -> Option<usize> {
        let here = || self.0.iter().enumerate().filter(move |(_, row)| row.0 == directory);
        let exact = here().find(|(_, row)| row.1 == name);
        let alike = || here().find(|(_, row)| ignores && fold(&row.1) == fold(name));
        exact.or_else(alike).map(|(at, _)| at)
    }

    pub(super) fn compare(&self, world: &World) {
        let entries = world.store.entries.iter();
        let mut stored: Vec<(u64, Row)> = entries
            .map(|(key, (node, cookie))| {
                let name = String::from_utf8(key.name.as_bytes().to_vec()).unwrap();
                (cookie.0, Row(key.directory, name, *node))
            })
            .filter(|(_, Row(_, _, node))| world.node(*node).kind == dittofs_domain::NodeKind::File)
            .collect();
        stored.sort_by_key(|(cookie, _)| *cookie);
        assert_eq!(stored.into_iter().map(|(_, row)| row).collect::<Vec<_>>(), self.0);
    }
}

fn fold(name: &str) -> Vec<u8> {
    TABLE.folded(&crate::world::name(name)).as_bytes().to_vec()
}
