//! The headers that keep browsers from misusing an answer, as oCIS's proxy sets them.

use http::header::{
    CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use ocis_core::{Error, Result};

/// oCIS's default content security policy (`services/proxy/pkg/config/csp.yaml`).
pub(super) const DEFAULT_CSP: &str = "child-src 'self'; connect-src 'self'; default-src 'none'; \
    font-src 'self'; frame-ancestors 'self'; frame-src 'self' blob: https://embed.diagrams.net/; \
    img-src 'self' data: blob:; manifest-src 'self'; media-src 'self'; object-src 'self' blob:; \
    script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'";

/// The headers, ready to be set.
#[derive(Debug, Clone)]
pub(super) struct SecurityHeaders {
    csp: HeaderValue,
}

impl SecurityHeaders {
    pub(super) fn new(csp: &str) -> Result<Self> {
        let csp = HeaderValue::from_str(csp).map_err(|error| {
            Error::invalid("the content security policy cannot be a header").because(error)
        })?;
        Ok(Self { csp })
    }

    /// Sets the headers that the service has not set itself. `tls`: whether the connection is
    /// encrypted, as browsers ignore (and RFC 6797 section 7.2 forbids) the promise elsewhere.
    pub(super) fn set(&self, headers: &mut HeaderMap, tls: bool) {
        const FIXED: [(HeaderName, HeaderValue); 5] = [
            (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            (X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN")),
            (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
            (
                HeaderName::from_static("x-permitted-cross-domain-policies"),
                HeaderValue::from_static("none"),
            ),
            (HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("none")),
        ];
        const TRANSPORT: HeaderValue =
            HeaderValue::from_static("max-age=315360000; includeSubDomains; preload");
        headers.reserve(FIXED.len() + 2);
        for (name, value) in FIXED {
            headers.entry(name).or_insert(value);
        }
        headers.entry(CONTENT_SECURITY_POLICY).or_insert_with(|| self.csp.clone());
        if tls {
            headers.entry(STRICT_TRANSPORT_SECURITY).or_insert(TRANSPORT);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_may_set_its_own_and_plain_http_promises_nothing() {
        let security = SecurityHeaders::new(DEFAULT_CSP).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox"));
        security.set(&mut headers, false);
        assert_eq!(headers[CONTENT_SECURITY_POLICY], "sandbox");
        assert_eq!(headers[X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert!(!headers.contains_key(STRICT_TRANSPORT_SECURITY));
        security.set(&mut headers, true);
        assert!(headers.contains_key(STRICT_TRANSPORT_SECURITY));
    }
}
