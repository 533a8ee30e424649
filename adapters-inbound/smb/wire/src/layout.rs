//! Declares fixed parts once for both directions: fields, open integers, bit sets and bodies of a fixed size.

use bytes::{BufMut, Bytes};

use crate::cursor::{Fields, Malformed, range};
use crate::header::Header;

/// One field of a fixed size, little-endian.
pub(crate) trait Field: Sized + Copy {
    /// Bytes that the field takes.
    const SIZE: usize;

    /// Reads the field. It fails only where the bytes end: every value is kept, known or not.
    fn read(fields: &mut Fields<'_>) -> Result<Self, Malformed>;

    /// Appends the field.
    fn write(self, out: &mut impl BufMut);
}

macro_rules! integer_field {
    ($($integer:ty),*) => {
        $(impl Field for $integer {
            const SIZE: usize = size_of::<Self>();

            fn read(fields: &mut Fields<'_>) -> Result<Self, Malformed> {
                fields.array().map(Self::from_le_bytes)
            }

            fn write(self, out: &mut impl BufMut) {
                out.put_slice(&self.to_le_bytes());
            }
        })*
    };
}
integer_field!(u8, u16, u32, u64);

impl<const N: usize> Field for [u8; N] {
    const SIZE: usize = N;

    fn read(fields: &mut Fields<'_>) -> Result<Self, Malformed> {
        fields.array()
    }

    fn write(self, out: &mut impl BufMut) {
        out.put_slice(&self);
    }
}

/// The body of a message that is read: its fixed part, and the buffers that this points to.
pub(crate) struct Body<'m> {
    message: &'m Bytes,
    fields: Fields<'m>,
    /// Where the fixed part ends, from the header's first byte. No buffer begins before.
    fixed_end: usize,
}

impl<'m> Body<'m> {
    /// Opens the body of a message that begins with its header. StructureSize must be as the command defines it; its
    /// lowest bit only says that a variable part follows, of which even the first byte may be absent.
    pub(crate) fn open(message: &'m Bytes, structure_size: u16) -> Result<Self, Malformed> {
        let fixed_end = Header::SIZE + usize::from(structure_size & !1);
        let mut fields = Fields::new(message.get(Header::SIZE..fixed_end).ok_or(Malformed)?);
        if fields.read::<u16>()? != structure_size {
            return Err(Malformed);
        }
        Ok(Self { message, fields, fixed_end })
    }

    /// The StructureSize of a message's body, where one command has several forms.
    pub(crate) fn structure_size(message: &Bytes) -> Result<u16, Malformed> {
        Fields::new(message.get(Header::SIZE..).ok_or(Malformed)?).read()
    }

    pub(crate) fn read<T: Field>(&mut self) -> Result<T, Malformed> {
        self.fields.read()
    }

    pub(crate) fn skip(&mut self, count: usize) -> Result<(), Malformed> {
        self.fields.skip(count)
    }

    /// The buffer at `offset` from the header's first byte, as a part of the message's allocation. Clients fill the
    /// offset of an empty buffer with anything, so it isn't looked at.
    pub(crate) fn buffer(&self, offset: impl Into<u64>, length: impl Into<u64>) -> Result<Bytes, Malformed> {
        let (offset, length) = (offset.into(), length.into());
        if length == 0 {
            return Ok(Bytes::new());
        }
        if offset < self.fixed_end as u64 {
            return Err(Malformed);
        }
        range(self.message, offset, length)
    }

    /// Everything behind the fixed part.
    pub(crate) fn variable_part(&self) -> &'m [u8] {
        self.message.get(self.fixed_end..).unwrap_or_default()
    }
}

/// Declares an integer that has names for some of its values and keeps the others.
macro_rules! open_integer {
    (
        $(#[$meta:meta])* pub struct $name:ident($integer:ty) {
            $($(#[$value_meta:meta])* $value:ident = $number:literal,)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $name(pub $integer);

        impl $name {
            $($(#[$value_meta])* pub const $value: Self = Self($number);)*
        }

        impl ::std::fmt::Debug for $name {
            fn fmt(&self, formatter: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                match *self {
                    $(Self::$value => formatter.write_str(stringify!($value)),)*
                    Self(other) => write!(formatter, concat!(stringify!($name), "({:#x})"), other),
                }
            }
        }

        $crate::layout::wrapped_field!($name($integer));
    };
}

/// Makes a newtype a [`Field`].
macro_rules! wrapped_field {
    ($name:ident($inner:ty)) => {
        impl $crate::layout::Field for $name {
            const SIZE: usize = <$inner as $crate::layout::Field>::SIZE;

            fn read(fields: &mut $crate::cursor::Fields<'_>) -> Result<Self, $crate::cursor::Malformed> {
                fields.read().map(Self)
            }

            fn write(self, out: &mut impl ::bytes::BufMut) {
                $crate::layout::Field::write(self.0, out);
            }
        }
    };
}

/// Declares a set of bits that keeps the ones that have no name.
macro_rules! bit_set {
    (
        $(#[$meta:meta])* pub struct $name:ident($integer:ty) {
            $($(#[$($bit_meta:tt)*])* $bit:ident = $bits:expr,)*
        }
    ) => {
        ::bitflags::bitflags! {
            $(#[$meta])*
            #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
            pub struct $name: $integer {
                $($(#[$($bit_meta)*])* const $bit = $bits;)*
                const _ = !0;
            }
        }

        impl $crate::layout::Field for $name {
            const SIZE: usize = size_of::<$integer>();

            fn read(fields: &mut $crate::cursor::Fields<'_>) -> Result<Self, $crate::cursor::Malformed> {
                fields.read().map(Self::from_bits_retain)
            }

            fn write(self, out: &mut impl ::bytes::BufMut) {
                $crate::layout::Field::write(self.bits(), out);
            }
        }
    };
}

/// Declares a body without a variable part, and reads and writes it. The number behind the name is StructureSize; that
/// the fields sum up to it is checked when this crate is compiled. `reserved` and `trailing` are bytes that are zero
/// when sent and ignored when received.
macro_rules! fixed_body {
    (
        $(#[$meta:meta])* pub struct $name:ident($size:literal) {
            $($(reserved $gap:literal;)? $(#[$field_meta:meta])* pub $field:ident: $type:ty,)*
            $(trailing $tail:literal;)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub struct $name {
            $($(#[$field_meta])* pub $field: $type,)*
        }

        const _: () =
            assert!(2 $($(+ $gap)? + <$type as $crate::layout::Field>::SIZE)* $(+ $tail)? == $size & !1);

        impl $crate::message::Decode for $name {
            fn decode(message: &::bytes::Bytes) -> Result<Self, $crate::cursor::Malformed> {
                let mut body = $crate::layout::Body::open(message, $size)?;
                $($(body.skip($gap)?;)? let $field = body.read()?;)*
                Ok(Self { $($field),* })
            }
        }

        impl $crate::message::Encode for $name {
            fn encode(&self, out: &mut $crate::message::OutgoingMessage) {
                out.field::<u16>($size);
                $($(out.zeros($gap);)? out.field(self.$field);)*
                $(out.zeros($tail);)?
            }
        }
    };
}

pub(crate) use {bit_set, fixed_body, open_integer, wrapped_field};
