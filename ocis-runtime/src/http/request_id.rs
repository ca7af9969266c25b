//! The id that ties the log lines of one request together.
//!
//! A client's own `X-Request-Id` is taken when it is short and harmless, as it is written to logs
//! and headers; otherwise one is made. Either is told in the answer.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use http::{HeaderMap, HeaderName};

/// The header, in requests and answers.
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a request; in the extensions of every request behind the stack.
#[derive(Debug, Clone)]
pub struct RequestId(pub Arc<str>);

/// Ids of this process begin with this, so that those of two runs differ.
static PROCESS: LazyLock<String> = LazyLock::new(|| uuid::Uuid::new_v4().simple().to_string());
static NEXT: AtomicU64 = AtomicU64::new(1);

impl RequestId {
    /// The id that the client gave, or a new one.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let given = headers.get(X_REQUEST_ID).and_then(|value| value.to_str().ok());
        match given {
            Some(id) if harmless(id) => Self(id.into()),
            _ => Self::new(),
        }
    }

    fn new() -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let mut id = String::with_capacity(32);
        id.push_str(PROCESS.get(..16).unwrap_or_default());
        // Writing to a string cannot fail.
        let _ = write!(id, "-{number:06}");
        Self(id.into())
    }
}

fn harmless(id: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/+=@".contains(&byte);
    (1..=128).contains(&id.len()) && id.bytes().all(legal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_harmless_id_is_kept_and_any_other_replaced() {
        let of = |id: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(X_REQUEST_ID, id.parse().unwrap());
            RequestId::of(&headers).0
        };
        assert_eq!(&*of("a-1_B.2"), "a-1_B.2");
        for bad in ["", "a b", "{\"x\":1}", &"x".repeat(129)] {
            assert_ne!(&*of(bad), bad);
        }
        assert_ne!(of(""), of(""));
    }
}
