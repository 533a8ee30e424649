//! The sizes by which the files of a share are divided into pages, regions, chunks and objects, and how much one plan
//! may hold.
//!
//! A share is made with one scale, which stands in its row, and keeps it: rows and objects mean nothing under another
//! one. What serves files uses [`Scale::PRODUCTION`]. Tests use smaller ones, so that small files cross every boundary
//! between pages, regions, batches, chunks and objects, and every bound of a plan, many times.

use crate::content::{BLOCK_BYTES_MAX, CHUNK_BYTES, EXTENTS_PER_PAGE_MAX, PAGE_BYTES};
use crate::plan::PLAN_STEPS_MAX;

/// The sizes of a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scale {
    /// Bytes of a page, the unit of a file's map.
    pub page_bytes: u32,
    /// Bytes of a region, the unit of flushing, and of the greatest block: some pages.
    pub region_bytes: u32,
    /// Bytes of a chunk, the unit of references and of scheduling: some regions.
    pub chunk_bytes: u64,
    /// Bytes of the greatest object that a flush makes, without heads: a region or more.
    pub object_bytes: u64,
    /// Blocks from which on an object takes no further region.
    pub object_blocks: u32,
    /// Extents that a page may hold before its region is compacted.
    pub page_extents: u32,
    /// Expectations and changes, together, of the plans that edit maps.
    pub plan_steps: u32,
    /// Rows of a map that one plan looks at.
    pub plan_rows: u32,
    /// Bytes of a segment of the journal.
    pub segment_bytes: u64,
}

impl Scale {
    /// That of every share that is served.
    pub const PRODUCTION: Scale = Scale {
        page_bytes: PAGE_BYTES as u32,
        region_bytes: BLOCK_BYTES_MAX,
        chunk_bytes: CHUNK_BYTES,
        // Large enough that requests cost little compared with the bytes, small enough that one is uploaded in a
        // second.
        object_bytes: 64 << 20,
        // The plans that publish an object stay bounded.
        object_blocks: 512,
        page_extents: EXTENTS_PER_PAGE_MAX as u32,
        plan_steps: PLAN_STEPS_MAX as u32,
        plan_rows: 2_048,
        segment_bytes: 64 << 20,
    };

    /// The smallest one: a file of 200 KiB has several of everything.
    pub const TINY: Scale = Scale {
        page_bytes: 4 << 10,
        region_bytes: 8 << 10,
        chunk_bytes: 32 << 10,
        object_bytes: 40 << 10,
        object_blocks: 12,
        page_extents: 4,
        plan_steps: 64,
        plan_rows: 20,
        segment_bytes: 64 << 10,
    };

    /// Whether the sizes fit each other; what else comes from a disk is no scale.
    pub fn is_valid(&self) -> bool {
        let Scale { page_bytes, region_bytes, chunk_bytes, .. } = *self;
        page_bytes.is_power_of_two()
            && (512..=1 << 30).contains(&page_bytes)
            && region_bytes >= page_bytes
            && region_bytes.is_multiple_of(page_bytes)
            && region_bytes <= BLOCK_BYTES_MAX
            && chunk_bytes >= u64::from(region_bytes)
            && chunk_bytes <= 1 << 40
            && chunk_bytes.is_multiple_of(u64::from(region_bytes))
            && self.object_bytes >= u64::from(region_bytes)
            && self.object_blocks > 0
            && (4..=1 << 16).contains(&self.page_extents)
            && self.plan_rows as u64 >= 2 * (self.chunk_pages() + 1)
            && self.plan_steps as usize <= PLAN_STEPS_MAX
            && u64::from(self.plan_steps) / 4 >= self.chunk_pages()
            && self.segment_bytes >= 4 << 10
    }

    /// Bytes of a page.
    pub fn page(&self) -> u64 {
        u64::from(self.page_bytes)
    }

    /// Bytes of a region.
    pub fn region(&self) -> u64 {
        u64::from(self.region_bytes)
    }

    /// Pages in a chunk.
    pub fn chunk_pages(&self) -> u64 {
        self.chunk_bytes / self.page().max(1)
    }

    /// The page that an offset is in.
    pub fn page_of(&self, offset: u64) -> u64 {
        offset / self.page()
    }

    /// Pages that a file of a size takes.
    pub fn pages_of(&self, size: u64) -> u64 {
        size.div_ceil(self.page())
    }

    /// The start of the region that an offset is in.
    pub fn region_start(&self, offset: u64) -> u64 {
        offset - offset % self.region()
    }

    /// The chunk of a page.
    pub fn chunk_of(&self, page: u64) -> u64 {
        page / self.chunk_pages()
    }

    /// The first page of the chunk that a page is in.
    pub fn chunk_start(&self, page: u64) -> u64 {
        page - page % self.chunk_pages()
    }

    /// The page after the last one of the chunk that a page is in.
    pub fn chunk_end(&self, page: u64) -> u64 {
        self.chunk_start(page).saturating_add(self.chunk_pages())
    }

    /// A punch or a clone never makes a page of more extents. A flush keeps pages below `page_extents`, but many small
    /// punches or clones of one page would else make its row ever longer; and the references of a whole chunk must
    /// fit into one plan, as they are only known together.
    pub fn page_extents_bound(&self) -> usize {
        self.page_extents as usize * 5 / 4
    }

    /// The greatest number of rows that one step of a bounded operation asks for.
    pub fn step_rows(&self) -> usize {
        (self.plan_rows as usize / 4).max(self.chunk_pages() as usize + 2)
    }

    /// Rows behind a truncation's offset up to which it edits them at once instead of leaving a pending truncation.
    pub fn truncate_rows(&self) -> usize {
        (self.plan_rows as usize / 32).max(1)
    }
}

#[cfg(test)]
mod tests;
