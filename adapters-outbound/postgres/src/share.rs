//! One share.

use std::{ops::Range, sync::Arc};

use async_trait::async_trait;
use dittofs_domain::{
    Cookie, Epoch, Name, Node, NodeId, ObjectId, OpId, PlaceId, Tree,
    plan::{Applied, ObjectRecord, ObjectState, Plan, Query, Reference, Space, Statistics, UnlinkedReason, View},
};
use dittofs_ports::{ApplyError, Counter, Listed, Listing, MetadataError, ShareMetadata, ShareRecord, ShareSnapshot};
use sqlx::postgres::PgRow;

use crate::{
    apply::{Applier, reason_column, state_column},
    claims::Claim,
    connections::{Connections, Statement},
    fault::Fault,
    node::{self, Columns},
    numbers::{bound, count, object, object_of, signed, unsigned},
    share_row, statements, view,
};

/// A share in the database.
pub(crate) struct PostgresShare {
    connections: Arc<Connections>,
    claim: Arc<Claim>,
    applier: Arc<Applier>,
}

/// The column of a counter, and its greatest number.
fn counter_column(counter: Counter) -> (i16, u64) {
    match counter {
        Counter::Ids => (1, NodeId::MAX.0),
        Counter::Stamps => (2, NodeId::MAX.0),
        Counter::Epochs => (3, NodeId::MAX.0),
        Counter::Trees => (4, Tree::MAX.0.into()),
    }
}

impl PostgresShare {
    pub(crate) fn new(connections: Arc<Connections>, claim: Arc<Claim>) -> PostgresShare {
        let applier = Arc::new(Applier::new(Arc::clone(&connections), Arc::clone(&claim)));
        PostgresShare { connections, claim, applier }
    }

    fn statement(&self, text: &'static str) -> Statement {
        Statement::new(text).with(signed(self.claim.share.0))
    }

    /// Reads rows, each of which makes one item.
    async fn read<T>(
        &self,
        statement: Statement,
        make: impl Fn(&PgRow) -> Result<T, Fault>,
    ) -> Result<Vec<T>, MetadataError> {
        self.claim.check()?;
        let rows = self.connections.read(&statement).await?;
        Ok(rows.iter().map(make).collect::<Result<Vec<T>, Fault>>()?)
    }

    fn missing(&self) -> MetadataError {
        MetadataError::Corrupt(format!("share {} has no row", self.claim.share).into())
    }
}

#[async_trait]
impl ShareMetadata for PostgresShare {
    async fn record(&self) -> Result<ShareRecord, MetadataError> {
        let found = self.read(self.statement(&statements::SHARE), share_row::read).await?;
        found.into_iter().next().ok_or_else(|| self.missing())
    }

    async fn put_record(&self, record: &ShareRecord) -> Result<(), MetadataError> {
        if record.id != self.claim.share {
            return Err(MetadataError::Corrupt("the row is another share's".into()));
        }
        let put = share_row::with_columns(Statement::new(statements::PUT_SHARE.as_str()), record);
        let put = self.claim.note(self.connections.write(self.claim.proof(put)).await)?;
        if put.is_empty() { Err(self.missing()) } else { Ok(()) }
    }

    /// `query.lock` changes nothing: where a plan meets a conflict, another one went through.
    async fn view(&self, query: &Query) -> Result<View, MetadataError> {
        self.claim.check()?;
        let statement = view::statement(&self.claim, query);
        let rows = self.connections.read(&statement).await?;
        Ok(view::read(&self.claim, query, &rows)?)
    }

    async fn apply(&self, plan: Plan, op: Option<OpId>) -> Result<Applied, ApplyError> {
        self.applier.apply(plan, op).await
    }

    async fn list(
        &self,
        directory: NodeId,
        space: Space,
        after: Cookie,
        entries_max: usize,
        records: bool,
    ) -> Result<Listing, MetadataError> {
        let text = if records { statements::LIST_WITH_NODES.as_str() } else { statements::LIST.as_str() };
        // One more says whether there are more.
        let rows = count(entries_max) + 1;
        let statement =
            self.statement(text).with(signed(directory.0)).with(space as i32).with(bound(after.0)).with(rows);
        let mut entries = self.read(statement, |row| listed(row, records)).await?;
        let complete = entries.len() <= entries_max;
        entries.truncate(entries_max);
        Ok(Listing { entries, complete })
    }

    async fn name_of(&self, directory: NodeId, cookie: Cookie) -> Result<Option<Name>, MetadataError> {
        let statement = self.statement(statements::NAME_OF).with(signed(directory.0)).with(signed(cookie.0));
        Ok(self.read(statement, |row| name(Columns::new(row, 0).take()?)).await?.into_iter().next())
    }

    async fn allocate(&self, counter: Counter, count: u64) -> Result<Range<u64>, MetadataError> {
        let used_up = || MetadataError::Unavailable("all numbers are used up".into());
        let (what, last) = counter_column(counter);
        let next = |row: &PgRow| Columns::new(row, 0).take::<i64>().map(unsigned);
        if count == 0 {
            let found = self.read(self.statement(statements::COUNTER).with(what), next).await?;
            let next = found.into_iter().next().ok_or_else(|| self.missing())?;
            return Ok(next..next);
        }
        let more = i64::try_from(count).map_err(|_| used_up())?;
        // Numbers that were taken without an answer are lost, and no harm is done.
        let taken = self.statement(statements::ALLOCATE).with(what).with(more).with(bound(last));
        self.claim.check()?;
        let rows = self.connections.write(taken).await?;
        let end = next(rows.first().ok_or_else(used_up)?)?;
        Ok(end.saturating_sub(count)..end)
    }

    /// One server has the share: whatever had it before changes nothing any more.
    async fn has_ended(&self, _: Epoch) -> Result<bool, MetadataError> {
        Ok(true)
    }

    async fn unlinked(&self, after: NodeId, max: usize) -> Result<Vec<(NodeId, UnlinkedReason)>, MetadataError> {
        let statement = self.statement(statements::UNLINKED).with(bound(after.0)).with(count(max));
        self.read(statement, |row| {
            let mut columns = Columns::new(row, 0);
            let (node, reason): (i64, i16) = (columns.take()?, columns.take()?);
            let reasons = [UnlinkedReason::Open, UnlinkedReason::Reaping];
            let reason = reasons.into_iter().find(|known| reason_column(*known) == reason);
            let reason = reason.ok_or_else(|| Fault::damaged(format!("the note of node {node} makes no sense")))?;
            Ok((NodeId(unsigned(node)), reason))
        })
        .await
    }

    async fn pending_truncations(&self, after: NodeId, max: usize) -> Result<Vec<NodeId>, MetadataError> {
        let statement = self.statement(statements::TRUNCATIONS).with(bound(after.0)).with(count(max));
        self.read(statement, node_id).await
    }

    async fn objects(&self, after: Option<ObjectId>, max: usize) -> Result<Vec<ObjectRecord>, MetadataError> {
        // No bytes come before all others.
        let after = after.map(object).unwrap_or_default();
        self.read(self.statement(statements::OBJECTS).with(after).with(count(max)), object_record).await
    }

    async fn references(&self, object: ObjectId, max: usize) -> Result<Vec<(NodeId, u64)>, MetadataError> {
        let statement = self.statement(statements::REFERENCES).with(self::object(object)).with(count(max));
        self.read(statement, |row| {
            let mut columns = Columns::new(row, 0);
            Ok((NodeId(unsigned(columns.take()?)), unsigned(columns.take()?)))
        })
        .await
    }

    async fn nodes(&self, after: NodeId, max: usize) -> Result<Vec<Arc<Node>>, MetadataError> {
        let statement = self.statement(statements::NODES.as_str()).with(bound(after.0)).with(count(max));
        let empty = || Fault::damaged("a node without an id");
        self.read(statement, |row| node::read(row, 0)?.ok_or_else(empty)).await
    }

    async fn node_ids(&self, after: NodeId, max: usize) -> Result<Vec<NodeId>, MetadataError> {
        let statement = self.statement(statements::NODE_IDS).with(bound(after.0)).with(count(max));
        self.read(statement, node_id).await
    }

    async fn references_after(&self, after: Option<Reference>, max: usize) -> Result<Vec<Reference>, MetadataError> {
        let first = (Vec::new(), 0, 0, 0);
        let (object, node, chunk, until) = after.map_or(first, |Reference { object, node, chunk, until }| {
            (self::object(object), bound(node.0), bound(chunk), i32::try_from(until.0).unwrap_or(i32::MAX))
        });
        let statement = self.statement(statements::REFERENCES_AFTER);
        let statement = statement.with(object).with(node).with(chunk).with(until).with(count(max));
        self.read(statement, |row| {
            let mut columns = Columns::new(row, 0);
            let id: &[u8] = columns.take()?;
            let object = object_of(id).ok_or_else(|| Fault::damaged("a reference to no object"))?;
            let (node, chunk, until): (i64, i64, i32) = (columns.take()?, columns.take()?, columns.take()?);
            let until = Tree(until.cast_unsigned());
            Ok(Reference { object, node: NodeId(unsigned(node)), chunk: unsigned(chunk), until })
        })
        .await
    }

    async fn xattr_bytes(&self, after: NodeId, max: usize) -> Result<Vec<(NodeId, Option<u32>)>, MetadataError> {
        let statement = self.statement(statements::XATTR_BYTES).with(bound(after.0)).with(count(max));
        self.read(statement, |row| {
            let mut columns = Columns::new(row, 0);
            let (node, bytes): (i64, i32) = (columns.take()?, columns.take()?);
            Ok((NodeId(unsigned(node)), Some(bytes.cast_unsigned())))
        })
        .await
    }

    async fn statistics(&self) -> Result<Statistics, MetadataError> {
        let found = self.read(self.statement(statements::STATISTICS), |row| {
            let mut columns = Columns::new(row, 0);
            Ok(Statistics { bytes: columns.take()?, nodes: columns.take()? })
        });
        Ok(found.await?.into_iter().next().unwrap_or_default())
    }

    /// Returns no snapshot: the database's own tools back it up.
    async fn snapshot(&self) -> Result<Option<Arc<dyn ShareSnapshot>>, MetadataError> {
        Ok(None)
    }
}

fn name(bytes: &[u8]) -> Result<Name, Fault> {
    Name::new(bytes).map_err(|_| Fault::damaged("a name that none may have"))
}

fn node_id(row: &PgRow) -> Result<NodeId, Fault> {
    Columns::new(row, 0).take().map(unsigned).map(NodeId)
}

fn listed(row: &PgRow, records: bool) -> Result<Listed, Fault> {
    let mut columns = Columns::new(row, 0);
    let (cookie, node): (i64, i64) = (columns.take()?, columns.take()?);
    let name = name(columns.take()?)?;
    let record = if records { node::read(row, 3)? } else { None };
    Ok(Listed { name, cookie: Cookie(unsigned(cookie)), node: NodeId(unsigned(node)), record })
}

fn object_record(row: &PgRow) -> Result<ObjectRecord, Fault> {
    let mut columns = Columns::new(row, 0);
    let id: &[u8] = columns.take()?;
    let (state, owner, bytes, place): (i16, i64, i64, i32) =
        (columns.take()?, columns.take()?, columns.take()?, columns.take()?);
    let states = [ObjectState::Writing, ObjectState::Live, ObjectState::PendingDelete];
    let state = states.into_iter().find(|known| state_column(*known) == state);
    let record = object_of(id).zip(state).map(|(id, state)| ObjectRecord {
        id,
        state,
        owner: Epoch(unsigned(owner)),
        bytes: unsigned(bytes),
        place: PlaceId(place.cast_unsigned()),
    });
    record.ok_or_else(|| Fault::damaged("the row of an object makes no sense"))
}
