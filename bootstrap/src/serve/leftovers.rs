//! Journals and objects of shares that no metadata store knows: the metadata of one may be lost, or not mounted.

use std::{collections::BTreeSet, fs, io, path::Path};

use dittofs_domain::{ShareId, ownership::Mark};
use dittofs_ports::{ContentError, ContentStore, MetadataError, MetadataStore};

/// Where a new share would begin.
pub(crate) struct Places<'a> {
    /// Its content store, if there is one.
    pub(crate) content: Option<&'a dyn ContentStore>,
    /// The folder of all journals, if it has one.
    pub(crate) journals: Option<&'a Path>,
    /// All metadata stores of the configuration.
    pub(crate) metadata: Vec<&'a dyn MetadataStore>,
    /// Its id, where the configuration names one: then others of its name are not it.
    pub(crate) id: Option<ShareId>,
}

/// Why it can't be said what is there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlacesError {
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    #[error("whether the content store has objects of an earlier share can't be said: {0}")]
    Content(#[from] ContentError),
    #[error("the folder of journals can't be read: {0}")]
    Journals(#[from] io::Error),
}

/// Something of a share without metadata.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Leftover {
    id: ShareId,
    /// The mark beside its objects.
    mark: Option<Mark>,
    has_journal: bool,
}

impl Leftover {
    /// Describes it, for people.
    pub(crate) fn described(&self) -> String {
        let what = match (&self.mark, self.has_journal) {
            (Some(_), true) => "objects and a journal",
            (Some(_), false) => "objects",
            (None, _) => "a journal",
        };
        let of = match &self.mark {
            Some(Mark { owner, share, holder, .. }) if !share.is_empty() => format!(
                ", which belong to owner {owner:032x} ({share}, last held on {} with the data folder {})",
                holder.host, holder.folder
            ),
            Some(Mark { owner, .. }) => format!(", which belong to owner {owner:032x}"),
            None => String::new(),
        };
        format!("{what} of the share with the id {}{of}", self.id.0)
    }
}

impl Places<'_> {
    /// Finds leftovers that may be of the share with this name though no metadata store knows it. A bucket may have
    /// shares of other servers. Those have other names, or are held by a server whose metadata are elsewhere, and that
    /// is reported.
    pub(crate) async fn leftovers(&self, share: &str) -> Result<Vec<Leftover>, PlacesError> {
        let mut known = BTreeSet::new();
        let mut is_used = false;
        for store in &self.metadata {
            let shares = store.shares().await?;
            is_used |= !shares.is_empty();
            known.extend(shares.into_iter().map(|record| record.id));
        }
        let may_be = |id: &ShareId| !known.contains(id) && self.id.is_none_or(|own| own == *id);
        let journals = self.journals.map(journals_in).transpose()?.unwrap_or_default();
        let mut found = Vec::new();
        if let Some(content) = self.content {
            for id in content.shares().await?.into_iter().filter(may_be) {
                let Some(marked) = content.owner(id).await? else { continue };
                let mark = marked.mark;
                if mark.is_nobodys() {
                    continue;
                }
                // A mark of an earlier release names no share: it is one that is lost only where all metadata are.
                let names_it = mark.share == share || mark.is_of_restore(share);
                if self.id.is_some() || names_it || (mark.share.is_empty() && !is_used) {
                    found.push(Leftover { id, has_journal: journals.contains(&id), mark: Some(mark) });
                }
            }
        }
        // A journal names no share either.
        if is_used && self.id.is_none() {
            return Ok(found);
        }
        let has = |id: &ShareId| found.iter().any(|leftover| leftover.id == *id);
        let lone: Vec<ShareId> = journals.iter().filter(|id| may_be(id) && !has(id)).copied().collect();
        found.extend(lone.into_iter().map(|id| Leftover { id, mark: None, has_journal: true }));
        Ok(found)
    }
}

/// The shares that have a journal below a folder.
fn journals_in(base: &Path) -> io::Result<BTreeSet<ShareId>> {
    let entries = match fs::read_dir(base) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        entries => entries?,
    };
    let mut found = BTreeSet::new();
    for entry in entries {
        let name = entry?.file_name();
        let digits = name.to_str().filter(|name| name.len() == 16 && !name.starts_with('+'));
        found.extend(digits.and_then(|digits| u64::from_str_radix(digits, 16).ok()).map(ShareId));
    }
    Ok(found)
}
