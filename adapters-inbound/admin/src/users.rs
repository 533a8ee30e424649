//! Users: those that there are, and changes of them.

use std::fmt;

use dittofs_domain::users::{NtHash, UserName};
use dittofs_ports::{AccountError, AccountService, NewUser, UserChange, UserInfo};
use hyper::StatusCode;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use zeroize::Zeroizing;

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserView {
    /// The name.
    pub name: String,
    /// The user id.
    pub uid: u32,
    /// The primary group.
    pub gid: u32,
    /// Further groups.
    pub groups: Vec<u32>,
    /// Whether it may not log on.
    pub disabled: bool,
    /// The security identifier.
    pub sid: String,
}

/// All of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsersView {
    /// In the order of their names.
    pub users: Vec<UserView>,
}

/// A change of a user, as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum UserRequest {
    /// Adds a user.
    Add {
        /// The name.
        name: String,
        /// The user id.
        uid: u32,
        /// The primary group.
        gid: u32,
        /// Further groups.
        groups: Vec<u32>,
        /// The proof of its password.
        nt_hash: HashDigits,
    },
    /// Changes what is not absent.
    Change {
        /// The name.
        name: String,
        /// The proof of its password.
        nt_hash: Option<HashDigits>,
        /// The primary group.
        gid: Option<u32>,
        /// All further groups.
        groups: Option<Vec<u32>>,
        /// Whether it may not log on.
        disabled: Option<bool>,
    },
}

/// The proof of a password, on its way over the socket: hexadecimal digits.
#[derive(Clone, PartialEq, Eq)]
pub struct HashDigits(pub NtHash);

impl fmt::Debug for HashDigits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl Serialize for HashDigits {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut digits = Zeroizing::new(String::with_capacity(2 * NtHash::BYTES));
        push_digits(&mut digits, self.0.bytes());
        serializer.serialize_str(&digits)
    }
}

impl<'de> Deserialize<'de> for HashDigits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<HashDigits, D::Error> {
        let digits = Zeroizing::new(String::deserialize(deserializer)?);
        let bytes = Zeroizing::new(of_digits(&digits).unwrap_or_default());
        let hash = bytes.as_slice().try_into().map_err(|_| D::Error::custom("not 32 hexadecimal digits"))?;
        Ok(HashDigits(NtHash::new(hash)))
    }
}

impl From<UserInfo> for UserView {
    fn from(UserInfo { name, uid, gid, groups, disabled, sid }: UserInfo) -> UserView {
        UserView { name: name.as_str().to_owned(), uid, gid, groups, disabled, sid: sid.to_string() }
    }
}

/// Why a request of users was not carried out.
pub(crate) enum Refusal {
    /// The name is none.
    Name(String),
    /// The service refused.
    Account(AccountError),
}

impl Refusal {
    /// How it is answered: the status, and what is said.
    pub(crate) fn answer(&self) -> (StatusCode, String) {
        match self {
            Refusal::Name(found) => (StatusCode::BAD_REQUEST, found.clone()),
            Refusal::Account(error) => {
                let status = match error {
                    AccountError::Unknown => StatusCode::NOT_FOUND,
                    AccountError::Ids => StatusCode::BAD_REQUEST,
                    AccountError::Taken | AccountError::TooMany(_) | AccountError::Conflict => StatusCode::CONFLICT,
                    AccountError::Full | AccountError::Secret(_) | AccountError::Store(_) => {
                        StatusCode::INTERNAL_SERVER_ERROR
                    }
                };
                (status, error.to_string())
            }
        }
    }
}

impl From<AccountError> for Refusal {
    fn from(error: AccountError) -> Refusal {
        Refusal::Account(error)
    }
}

fn checked(name: &str) -> Result<UserName, Refusal> {
    UserName::new(name).map_err(|fault| Refusal::Name(format!("a name that {fault}")))
}

/// Lists all users.
pub(crate) async fn list(accounts: &dyn AccountService) -> Result<UsersView, Refusal> {
    let users = accounts.list().await?;
    Ok(UsersView { users: users.into_iter().map(Into::into).collect() })
}

/// Carries a change out.
pub(crate) async fn change(accounts: &dyn AccountService, request: UserRequest) -> Result<(), Refusal> {
    match request {
        UserRequest::Add { name, uid, gid, groups, nt_hash } => {
            let name = checked(&name)?;
            accounts.add(NewUser { name: name.clone(), uid, gid, groups, nt_hash: nt_hash.0 }).await?;
            tracing::info!(user = %name, uid, gid, "a user was added");
        }
        UserRequest::Change { name, nt_hash, gid, groups, disabled } => {
            let name = checked(&name)?;
            let (has_password, has_groups) = (nt_hash.is_some(), gid.is_some() || groups.is_some());
            let nt_hash = nt_hash.map(|digits| digits.0);
            accounts.change(&name, UserChange { nt_hash, gid, groups, disabled }).await?;
            tracing::info!(user = %name, password = has_password, groups = has_groups, ?disabled, "a user was changed");
        }
    }
    Ok(())
}

/// Removes the user whose name is in hexadecimal digits.
pub(crate) async fn remove(accounts: &dyn AccountService, digits: &str) -> Result<(), Refusal> {
    let name = of_digits(digits).and_then(|bytes| String::from_utf8(bytes).ok());
    let name = checked(&name.ok_or_else(|| Refusal::Name("a name that is not in hexadecimal digits".to_owned()))?)?;
    accounts.remove(&name).await?;
    tracing::info!(user = %name, "a user was removed");
    Ok(())
}

/// A name as a part of an address: it may have any characters.
pub(crate) fn digits_of(name: &str) -> String {
    let mut digits = String::new();
    push_digits(&mut digits, name.as_bytes());
    digits
}

fn push_digits(digits: &mut String, bytes: &[u8]) {
    let of = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or('0');
    bytes.iter().for_each(|byte| digits.extend([of(byte >> 4), of(byte & 15)]));
}

fn of_digits(digits: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    let half = |digit: u8| char::from(digit).to_digit(16).and_then(|half| u8::try_from(half).ok());
    // With room for all: a buffer that grows would leave copies behind.
    let mut bytes = Vec::with_capacity(pairs.len());
    for [high, low] in pairs {
        bytes.push(half(*high)? << 4 | half(*low)?);
    }
    rest.is_empty().then_some(bytes)
}

#[cfg(test)]
mod tests;
