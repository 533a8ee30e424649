//! The one place where decorators of ports get the methods that they do not change.
//!
//! Ports have no default methods: a decorator that forgot one would quietly do something else than the store that it
//! decorates. A decorator names the methods that go to its inner store as they are, and writes the others; the compiler
//! reports a method that is in neither list. The future of the inner store is passed on, so nothing is allocated.

#[doc(hidden)]
pub mod types {
    //! The types that the signatures name, for crates that do not use them themselves.
    pub use std::{future::Future, ops::Range, pin::Pin, sync::Arc, time::Duration};

    pub use bytes::Bytes;
    pub use dittofs_domain::{
        Cookie, Epoch, Name, Node, NodeId, ObjectId, OpId, Sequence, ShareId,
        content::Place,
        ownership::{Mark, Start},
        plan::{Applied, ObjectRecord, Plan, Query, Reference, Space, Statistics, UnlinkedReason, View},
    };
}

/// Methods of a port, inside its `impl` for a decorator, that do what a field's do:
/// `forward!(ContentStore of inner: survives, owner, claim);`
#[macro_export]
macro_rules! forward {
    ($port:ident of $inner:tt: $($method:ident),+ $(,)?) => {
        $($crate::forward_method!($port $method $inner);)+
    };
}

/// One method of one port.
#[doc(hidden)]
#[macro_export]
macro_rules! forward_method {
    // The shape that `async_trait` gives to a method, with the lifetimes of its references.
    (@async $inner:tt $method:ident [$($life:lifetime)*] ($($arg:ident: $type:ty),*) $out:ty) => {
        fn $method<'this, $($life,)* 'call>(
            &'this self,
            $($arg: $type,)*
        ) -> $crate::forward::types::Pin<Box<dyn $crate::forward::types::Future<Output = $out> + Send + 'call>>
        where
            'this: 'call,
            $($life: 'call,)*
            Self: 'call,
        {
            self.$inner.$method($($arg),*)
        }
    };
    (@plain $inner:tt $method:ident ($($arg:ident: $type:ty),*) $out:ty) => {
        fn $method(&self, $($arg: $type),*) -> $out {
            self.$inner.$method($($arg),*)
        }
    };

    (BlockCache frame $inner:tt) => {
        $crate::forward_method!(@plain $inner frame (key: &$crate::FrameKey) Option<$crate::forward::types::Bytes>);
    };
    (BlockCache insert $inner:tt) => {
        $crate::forward_method!(@plain $inner insert (key: $crate::FrameKey, frame: $crate::forward::types::Bytes) ());
    };
    (BlockCache usage $inner:tt) => {
        $crate::forward_method!(@plain $inner usage () $crate::CacheUsage);
    };

    (ContentStore survives $inner:tt) => {
        $crate::forward_method!(@plain $inner survives () $crate::Survives);
    };
    (ContentStore owner $inner:tt) => {
        $crate::forward_method!(@async $inner owner [] (share: $crate::forward::types::ShareId)
            Result<Option<$crate::Marked>, $crate::ContentError>);
    };
    (ContentStore claim $inner:tt) => {
        $crate::forward_method!(@async $inner claim ['mark] (
            share: $crate::forward::types::ShareId,
            mark: &'mark $crate::forward::types::Mark,
            over: Option<$crate::Marked>
        ) Result<$crate::Claim, $crate::ContentError>);
    };
    (ContentStore shares $inner:tt) => {
        $crate::forward_method!(@async $inner shares [] ()
            Result<Vec<$crate::forward::types::ShareId>, $crate::ContentError>);
    };
    (ContentStore request_max $inner:tt) => {
        $crate::forward_method!(@plain $inner request_max () $crate::forward::types::Duration);
    };
    (ContentStore put $inner:tt) => {
        $crate::forward_method!(@async $inner put [] (
            share: $crate::forward::types::ShareId,
            object: $crate::forward::types::ObjectId,
            parts: Vec<$crate::forward::types::Bytes>
        ) Result<(), $crate::ContentError>);
    };
    (ContentStore put_to_free $inner:tt) => {
        $crate::forward_method!(@async $inner put_to_free [] (
            share: $crate::forward::types::ShareId,
            object: $crate::forward::types::ObjectId,
            parts: Vec<$crate::forward::types::Bytes>
        ) Result<(), $crate::ContentError>);
    };
    (ContentStore capacity $inner:tt) => {
        $crate::forward_method!(@async $inner capacity [] () Result<Option<$crate::Capacity>, $crate::ContentError>);
    };
    (ContentStore discard $inner:tt) => {
        $crate::forward_method!(@async $inner discard [] (
            share: $crate::forward::types::ShareId,
            object: $crate::forward::types::ObjectId,
            dead: Vec<$crate::forward::types::Range<u64>>
        ) Result<u64, $crate::ContentError>);
    };
    (ContentStore get $inner:tt) => {
        $crate::forward_method!(@async $inner get [] (
            share: $crate::forward::types::ShareId,
            object: $crate::forward::types::ObjectId,
            range: $crate::forward::types::Range<u64>
        ) Result<Vec<$crate::forward::types::Bytes>, $crate::ContentError>);
    };
    (ContentStore delete $inner:tt) => {
        $crate::forward_method!(@async $inner delete [] (
            share: $crate::forward::types::ShareId,
            object: $crate::forward::types::ObjectId
        ) Result<(), $crate::ContentError>);
    };
    (ContentStore list $inner:tt) => {
        $crate::forward_method!(@async $inner list [] (
            share: $crate::forward::types::ShareId,
            after: Option<$crate::forward::types::ObjectId>,
            max: usize
        ) Result<Vec<($crate::forward::types::ObjectId, u64)>, $crate::ContentError>);
    };

    (Journal survives $inner:tt) => {
        $crate::forward_method!(@plain $inner survives () $crate::Survives);
    };
    (Journal identity $inner:tt) => {
        $crate::forward_method!(@plain $inner identity () $crate::JournalIdentity);
    };
    (Journal note_start $inner:tt) => {
        $crate::forward_method!(@async $inner note_start [] (start: $crate::forward::types::Start)
            Result<(), $crate::JournalError>);
    };
    (Journal append $inner:tt) => {
        $crate::forward_method!(@async $inner append [] (record: $crate::Record)
            Result<$crate::Appended, $crate::JournalError>);
    };
    (Journal sync $inner:tt) => {
        $crate::forward_method!(@async $inner sync [] (up_to: $crate::forward::types::Sequence)
            Result<(), $crate::JournalError>);
    };
    (Journal failures $inner:tt) => {
        $crate::forward_method!(@plain $inner failures () u64);
    };
    (Journal lost $inner:tt) => {
        $crate::forward_method!(@plain $inner lost ()
            Vec<($crate::forward::types::NodeId, $crate::forward::types::Sequence)>);
    };
    (Journal read_now $inner:tt) => {
        $crate::forward_method!(@plain $inner read_now (place: $crate::forward::types::Place, skip: u32, len: u32)
            Option<$crate::forward::types::Bytes>);
    };
    (Journal read $inner:tt) => {
        $crate::forward_method!(@async $inner read [] (place: $crate::forward::types::Place, skip: u32, len: u32)
            Result<$crate::forward::types::Bytes, $crate::JournalError>);
    };
    (Journal recover $inner:tt) => {
        $crate::forward_method!(@async $inner recover [] (above: $crate::forward::types::Sequence)
            Result<Vec<($crate::Appended, $crate::Record)>, $crate::JournalError>);
    };
    (Journal release $inner:tt) => {
        $crate::forward_method!(@async $inner release ['records] (records: &'records [$crate::Appended])
            Result<(), $crate::JournalError>);
    };
    (Journal usage $inner:tt) => {
        $crate::forward_method!(@plain $inner usage () $crate::JournalUsage);
    };

    (MetadataStore survives $inner:tt) => {
        $crate::forward_method!(@plain $inner survives () $crate::Survives);
    };
    (MetadataStore shares $inner:tt) => {
        $crate::forward_method!(@async $inner shares [] () Result<Vec<$crate::ShareRecord>, $crate::MetadataError>);
    };
    (MetadataStore create_share $inner:tt) => {
        $crate::forward_method!(@async $inner create_share ['record 'root] (
            record: &'record $crate::ShareRecord,
            root: &'root $crate::forward::types::Node
        ) Result<(), $crate::MetadataError>);
    };
    (MetadataStore remove_share $inner:tt) => {
        $crate::forward_method!(@async $inner remove_share [] (id: $crate::forward::types::ShareId)
            Result<(), $crate::MetadataError>);
    };
    (MetadataStore restore_rows $inner:tt) => {
        $crate::forward_method!(@async $inner restore_rows [] (
            id: $crate::forward::types::ShareId,
            format: String,
            rows: Vec<$crate::SnapshotRow>
        ) Result<(), $crate::MetadataError>);
    };
    (MetadataStore restore_share $inner:tt) => {
        $crate::forward_method!(@async $inner restore_share ['record] (record: &'record $crate::ShareRecord, ahead: u64)
            Result<(), $crate::MetadataError>);
    };
    (MetadataStore share $inner:tt) => {
        $crate::forward_method!(@async $inner share [] (id: $crate::forward::types::ShareId)
            Result<Option<$crate::forward::types::Arc<dyn $crate::ShareMetadata>>, $crate::MetadataError>);
    };
    (MetadataStore users $inner:tt) => {
        $crate::forward_method!(@plain $inner users () $crate::forward::types::Arc<dyn $crate::UserStore>);
    };

    (ShareMetadata record $inner:tt) => {
        $crate::forward_method!(@async $inner record [] () Result<$crate::ShareRecord, $crate::MetadataError>);
    };
    (ShareMetadata put_record $inner:tt) => {
        $crate::forward_method!(@async $inner put_record ['record] (record: &'record $crate::ShareRecord)
            Result<(), $crate::MetadataError>);
    };
    (ShareMetadata view $inner:tt) => {
        $crate::forward_method!(@async $inner view ['query] (query: &'query $crate::forward::types::Query)
            Result<$crate::forward::types::View, $crate::MetadataError>);
    };
    (ShareMetadata apply $inner:tt) => {
        $crate::forward_method!(@async $inner apply [] (
            plan: $crate::forward::types::Plan,
            op: Option<$crate::forward::types::OpId>
        ) Result<$crate::forward::types::Applied, $crate::ApplyError>);
    };
    (ShareMetadata list $inner:tt) => {
        $crate::forward_method!(@async $inner list [] (
            directory: $crate::forward::types::NodeId,
            space: $crate::forward::types::Space,
            after: $crate::forward::types::Cookie,
            entries_max: usize,
            records: bool
        ) Result<$crate::Listing, $crate::MetadataError>);
    };
    (ShareMetadata name_of $inner:tt) => {
        $crate::forward_method!(@async $inner name_of [] (
            directory: $crate::forward::types::NodeId,
            cookie: $crate::forward::types::Cookie
        ) Result<Option<$crate::forward::types::Name>, $crate::MetadataError>);
    };
    (ShareMetadata allocate $inner:tt) => {
        $crate::forward_method!(@async $inner allocate [] (counter: $crate::Counter, count: u64)
            Result<$crate::forward::types::Range<u64>, $crate::MetadataError>);
    };
    (ShareMetadata has_ended $inner:tt) => {
        $crate::forward_method!(@async $inner has_ended [] (epoch: $crate::forward::types::Epoch)
            Result<bool, $crate::MetadataError>);
    };
    (ShareMetadata unlinked $inner:tt) => {
        $crate::forward_method!(@async $inner unlinked [] (after: $crate::forward::types::NodeId, max: usize)
            Result<
                Vec<($crate::forward::types::NodeId, $crate::forward::types::UnlinkedReason)>,
                $crate::MetadataError,
            >);
    };
    (ShareMetadata pending_truncations $inner:tt) => {
        $crate::forward_method!(@async $inner pending_truncations [] (after: $crate::forward::types::NodeId, max: usize)
            Result<Vec<$crate::forward::types::NodeId>, $crate::MetadataError>);
    };
    (ShareMetadata objects $inner:tt) => {
        $crate::forward_method!(@async $inner objects [] (
            after: Option<$crate::forward::types::ObjectId>,
            max: usize
        ) Result<Vec<$crate::forward::types::ObjectRecord>, $crate::MetadataError>);
    };
    (ShareMetadata references $inner:tt) => {
        $crate::forward_method!(@async $inner references [] (object: $crate::forward::types::ObjectId, max: usize)
            Result<Vec<($crate::forward::types::NodeId, u64)>, $crate::MetadataError>);
    };
    (ShareMetadata nodes $inner:tt) => {
        $crate::forward_method!(@async $inner nodes [] (after: $crate::forward::types::NodeId, max: usize)
            Result<Vec<$crate::forward::types::Arc<$crate::forward::types::Node>>, $crate::MetadataError>);
    };
    (ShareMetadata node_ids $inner:tt) => {
        $crate::forward_method!(@async $inner node_ids [] (after: $crate::forward::types::NodeId, max: usize)
            Result<Vec<$crate::forward::types::NodeId>, $crate::MetadataError>);
    };
    (ShareMetadata references_after $inner:tt) => {
        $crate::forward_method!(@async $inner references_after [] (after: Option<$crate::forward::types::Reference>, max: usize)
            Result<Vec<$crate::forward::types::Reference>, $crate::MetadataError>);
    };
    (ShareMetadata xattr_bytes $inner:tt) => {
        $crate::forward_method!(@async $inner xattr_bytes [] (after: $crate::forward::types::NodeId, max: usize)
            Result<Vec<($crate::forward::types::NodeId, Option<u32>)>, $crate::MetadataError>);
    };
    (ShareMetadata snapshot $inner:tt) => {
        $crate::forward_method!(@async $inner snapshot [] ()
            Result<Option<$crate::forward::types::Arc<dyn $crate::ShareSnapshot>>, $crate::MetadataError>);
    };
    (ShareMetadata statistics $inner:tt) => {
        $crate::forward_method!(@async $inner statistics [] ()
            Result<$crate::forward::types::Statistics, $crate::MetadataError>);
    };
}
