//! Why a share's objects are not used, in words.

use dittofs_domain::{
    Timestamp,
    ownership::{Mark, Refusal},
};

const SECONDS_PER_DAY: i64 = 86_400;

/// Describes what was found, as the middle of a sentence.
pub(crate) fn described(refusal: &Refusal, owner: u128) -> String {
    match refusal {
        Refusal::Foreign(mark) if mark.is_nobodys() => {
            "its objects are gone, as the share was removed by `dittofs share remove`".to_owned()
        }
        Refusal::Foreign(mark) => {
            format!("its objects belong to owner {:032x}, not to this share's {owner:032x}", mark.owner)
        }
        Refusal::Gone => {
            "it has nothing of this share, which has objects: give the share back its content store".to_owned()
        }
        Refusal::Ahead(mark) => format!(
            "its objects were last used by a start of the server that this metadata store does not know ({}): the \
             metadata are an older copy, or others went on from a copy of them",
            who(mark)
        ),
        Refusal::Older(mark) => {
            format!("its objects are an older copy than the share was last used with (that of {})", who(mark))
        }
        Refusal::Living(mark) => format!("its objects are held by {}", who(mark)),
        Refusal::Locked(mark) => format!("its objects are held, and its folder is locked, by {}", who(mark)),
    }
}

/// A holder.
pub(super) fn who(mark: &Mark) -> String {
    let holder = &mark.holder;
    if mark.start.is_none() {
        return "a server of an earlier release".to_owned();
    }
    format!(
        "process {} on {} with the data folder {}, since or before {}",
        holder.process,
        holder.host,
        holder.folder,
        utc(mark.at)
    )
}

/// A time of day, in UTC.
pub(super) fn utc(time: Timestamp) -> String {
    let (day, second) = (time.seconds().div_euclid(SECONDS_PER_DAY), time.seconds().rem_euclid(SECONDS_PER_DAY));
    // The Gregorian calendar repeats after 146,097 days. Years begin in March, so that the leap day is the last one.
    let day = day + 719_468;
    let (era, day) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3_600, second / 60 % 60, second % 60)
}
