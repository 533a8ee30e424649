//! The procedures of a program as an enumeration.

/// Makes an enumeration of procedures, which are found by their numbers. Each number stands once.
macro_rules! numbered_procedures {
    ($(#[$attribute:meta])* pub enum $name:ident { $($procedure:ident = $number:literal,)+ }) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u32)]
        pub enum $name {
            $($procedure = $number,)+
        }

        impl $name {
            /// The procedure of this number.
            pub fn of(number: u32) -> Option<Self> {
                Some(match number {
                    $($number => Self::$procedure,)+
                    _ => return None,
                })
            }
        }
    };
}

pub(crate) use numbered_procedures;
