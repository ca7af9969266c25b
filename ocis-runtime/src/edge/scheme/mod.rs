//! The ways in which a request can say who is calling, each in a file of its own.
//!
//! A scheme reads credentials from the request and checks nothing: that is for the port
//! [`Authenticate`](ocis_core::port::Authenticate), behind which every kind of credentials has a
//! service that knows it. A new way is a variant here, a file with its parser, and a variant of
//! [`Credentials`].

mod app_token;
mod basic;
mod bearer;
mod signed_url;

use std::net::IpAddr;

use http::header::AUTHORIZATION;
use http::request::Parts;
use ocis_core::port::Credentials;

pub use self::signed_url::SignedUrls;

/// A way to say who is calling.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scheme {
    /// A token of an OpenID provider (RFC 6750), in the header `Authorization` only: in a query it
    /// would end up in logs and histories.
    Bearer,
    /// User name and app token, in the form of [`Self::Basic`].
    AppToken,
    /// User name and password (RFC 7617).
    Basic,
    /// A signature in the query of the URL.
    SignedUrl(SignedUrls),
}

/// A request, as far as it can say who is calling.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) head: &'a Parts,
    /// The client's address.
    pub(super) peer: Option<IpAddr>,
}

impl Scheme {
    /// What the request presents in this way, if it does.
    pub(super) fn credentials(&self, asked: Asked<'_>) -> Option<Credentials> {
        match self {
            Self::Bearer => bearer::credentials(asked.authorization("bearer")?),
            Self::AppToken => app_token::credentials(asked.authorization("basic")?, asked.peer),
            Self::Basic => basic::credentials(asked.authorization("basic")?, asked.peer),
            Self::SignedUrl(urls) => urls.credentials(asked),
        }
    }

    /// The name of the scheme in a challenge (RFC 9110 section 11.6.1); none where a client cannot
    /// be asked for it.
    pub(super) fn challenge(&self) -> Option<&'static str> {
        match self {
            Self::Bearer => Some("Bearer"),
            Self::AppToken | Self::Basic => Some("Basic"),
            Self::SignedUrl(_) => None,
        }
    }
}

impl<'a> Asked<'a> {
    /// What follows the name of the scheme in the only `Authorization` header. With several of
    /// them nobody can tell which one another server in front of this one has looked at, so none
    /// counts.
    fn authorization(self, scheme: &str) -> Option<&'a [u8]> {
        let mut given = self.head.headers.get_all(AUTHORIZATION).iter();
        let header = given.next()?.as_bytes();
        let (name, rest) = header.split_at_checked(scheme.len())?;
        let is_only = given.next().is_none();
        (is_only && name.eq_ignore_ascii_case(scheme.as_bytes()))
            .then(|| rest.strip_prefix(b" "))
            .flatten()
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, Request};

    use super::*;

    pub(super) fn presented(scheme: Scheme, values: &[&[u8]]) -> Option<Credentials> {
        let mut request = Request::builder();
        for value in values {
            request = request.header(AUTHORIZATION, HeaderValue::from_bytes(value).unwrap());
        }
        let (head, ()) = request.body(()).unwrap().into_parts();
        scheme.credentials(Asked { head: &head, peer: None })
    }

    #[test]
    fn one_header_with_the_name_of_the_scheme() {
        assert!(presented(Scheme::Basic, &[b"bAsIc YTpi"]).is_some());
        assert!(presented(Scheme::Bearer, &[b"BEARER abc"]).is_some());
        for values in [
            &[][..],
            &[b"Basic YTpi".as_slice(), b"Basic YTpi"],
            &[b"Bearer abc", b"Basic YTpi"],
            &[b"Basic\tYTpi"],
            &[b"BasicYTpi"],
            &[b"Bearerabc"],
            &[b"Bear"],
        ] {
            assert!(presented(Scheme::Basic, values).is_none(), "{values:?}");
            assert!(presented(Scheme::Bearer, values).is_none(), "{values:?}");
        }
    }
}
