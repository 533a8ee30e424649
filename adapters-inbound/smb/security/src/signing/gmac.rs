//! AES-128-GMAC over a message in pieces.
//!
//! The fastest implementation takes the whole message at once. A message in pieces would have to be copied together,
//! which for large ones costs half as much as the code itself. GMAC is linear, so the codes of the pieces add up to
//! that of the whole: with `H` the hash key, `E` the mask of the nonce and `L` the block that holds a length,
//!
//! ```text
//! code(A)      = X(A)·H + L(A)·H + E            X(A): the polynomial of A's blocks
//! X(A ‖ B)     = X(A)·H^blocks(B) + X(B)        if A ends with a whole block
//! ```
//!
//! `X(A)·H` follows from the code of a piece, by taking off `E` (the code of nothing) and `L(A)·H`. Codes of pieces
//! have the message's nonce, too. They must not leave this module: they are codes of other messages under the same
//! nonce.

use aes::{Aes128, cipher::BlockCipherEncrypt};
use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ghash::{
    GHash,
    universal_hash::{KeyInit as _, UniversalHash},
};
use zeroize::Zeroizing;

use crate::CryptoFailure;

/// Bytes of a block.
const BLOCK: usize = 16;
/// Pieces under this length are gathered before they are hashed: the few multiplications that a piece costs take as
/// long as to copy some thousand bytes.
const GATHERED_MAX: usize = 4096;
/// Powers of the hash key are kept for pieces of up to 2^28 blocks, or 4 GiB, which is more than a message can have.
const POWERS: usize = 29;

type Block = [u8; BLOCK];

/// AES-128-GMAC with one key.
pub(super) struct Gmac {
    key: LessSafeKey,
    /// The hash key to the powers 1, 2, 4, 8, …
    powers: Zeroizing<[Block; POWERS]>,
}

impl Gmac {
    /// Sets up the key.
    pub(super) fn new(key: &[u8; 16]) -> Result<Self, CryptoFailure> {
        let mut power = [0; BLOCK].into();
        Aes128::new(key.into()).encrypt_block(&mut power);
        let mut power: Block = power.into();
        let mut powers = Zeroizing::new([[0; BLOCK]; POWERS]);
        for place in powers.iter_mut() {
            *place = power;
            power = multiply(&power, &power);
        }
        let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, key).map_err(|_| CryptoFailure)?);
        Ok(Self { key, powers })
    }

    /// The code of the pieces together.
    pub(super) fn tag<'a>(
        &self,
        nonce: [u8; 12],
        pieces: impl Iterator<Item = &'a [u8]>,
    ) -> Result<Block, CryptoFailure> {
        let mut sum = Sum::new(self, nonce);
        let mut gathered = Vec::with_capacity(GATHERED_MAX);
        for piece in pieces {
            let mut rest = piece;
            if piece.len() >= GATHERED_MAX {
                let length = gathered.len().next_multiple_of(BLOCK);
                rest = take(&mut gathered, rest, length);
                sum.add(&gathered)?;
                gathered.clear();
                let blocks = rest.len() - rest.len() % BLOCK;
                let (whole, part) = rest.split_at_checked(blocks).ok_or(CryptoFailure)?;
                sum.add(whole)?;
                rest = part;
            }
            while !rest.is_empty() {
                rest = take(&mut gathered, rest, GATHERED_MAX);
                if gathered.len() == GATHERED_MAX {
                    sum.add(&gathered)?;
                    gathered.clear();
                }
            }
        }
        sum.finish(&gathered)
    }

    /// The code of one piece, as if it was a message.
    fn single(&self, nonce: [u8; 12], bytes: &[u8]) -> Result<Block, CryptoFailure> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self.key.seal_in_place_separate_tag(nonce, Aad::from(bytes), &mut []).map_err(|_| CryptoFailure)?;
        tag.as_ref().try_into().map_err(|_| CryptoFailure)
    }

    /// `block·H^exponent`.
    fn times_power(&self, block: Block, exponent: usize) -> Block {
        let bits = self.powers.iter().enumerate().filter(|(bit, _)| exponent >> bit & 1 == 1);
        bits.fold(block, |product, (_, power)| multiply(&product, power))
    }

    /// `L·H`, for data of this length and no ciphertext.
    fn length_times_key(&self, length: usize) -> Block {
        let [key, ..] = &*self.powers;
        multiply(&(u128::from(length as u64 * 8) << 64).to_be_bytes(), key)
    }
}

/// What the pieces so far add up to.
struct Sum<'a> {
    gmac: &'a Gmac,
    nonce: [u8; 12],
    /// `E`, once a piece was added.
    mask: Option<Block>,
    /// `X·H` of the pieces so far, which end with a whole block.
    product: Block,
    /// Bytes of the pieces so far.
    length: usize,
}

impl<'a> Sum<'a> {
    fn new(gmac: &'a Gmac, nonce: [u8; 12]) -> Self {
        Self { gmac, nonce, mask: None, product: [0; BLOCK], length: 0 }
    }

    /// Adds a piece. It must end with a whole block, unless it is the last.
    fn add(&mut self, piece: &[u8]) -> Result<(), CryptoFailure> {
        if piece.is_empty() {
            return Ok(());
        }
        let mask = self.mask()?;
        let code = self.gmac.single(self.nonce, piece)?;
        let moved = self.gmac.times_power(self.product, piece.len().div_ceil(BLOCK));
        self.product = xor([moved, code, mask, self.gmac.length_times_key(piece.len())]);
        self.length += piece.len();
        Ok(())
    }

    /// Adds the last piece, and yields the code of all.
    fn finish(mut self, last: &[u8]) -> Result<Block, CryptoFailure> {
        if self.length == 0 {
            return self.gmac.single(self.nonce, last);
        }
        self.add(last)?;
        let mask = self.mask()?;
        Ok(xor([self.product, mask, self.gmac.length_times_key(self.length), [0; BLOCK]]))
    }

    fn mask(&mut self) -> Result<Block, CryptoFailure> {
        let mask = match self.mask {
            Some(mask) => mask,
            None => self.gmac.single(self.nonce, &[])?,
        };
        Ok(*self.mask.insert(mask))
    }
}

/// Takes bytes of a piece until `gathered` has so many, and returns those that are left.
fn take<'a>(gathered: &mut Vec<u8>, piece: &'a [u8], length: usize) -> &'a [u8] {
    let count = length.saturating_sub(gathered.len()).min(piece.len());
    let (taken, rest) = piece.split_at_checked(count).unwrap_or((piece, &[]));
    gathered.extend_from_slice(taken);
    rest
}

fn xor(blocks: [Block; 4]) -> Block {
    blocks.into_iter().fold(0, |sum, block| sum ^ u128::from_be_bytes(block)).to_be_bytes()
}

/// The product in the field of GHASH: the hash of one block under the other as key.
fn multiply(block: &Block, key: &Block) -> Block {
    let mut hash = GHash::new(key.into());
    hash.update(&[(*block).into()]);
    hash.finalize().into()
}

#[cfg(test)]
mod tests;
