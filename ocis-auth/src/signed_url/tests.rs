//! Signed URLs over accounts and documents in memory, signed as ownCloud's web client does.

use std::time::Duration;

use ocis_core::checksum::hex;
use ocis_core::conformance::MemoryDocuments;
use ocis_core::port::{
    DocumentCondition, KeyValue as _, OwnSigningKey, PutDocument, SigningKeys as _,
};

use super::*;
use crate::fixture::{Accounts, IDP, at, outside};
use crate::throttle::Limits;

const FILE: &str = "https://localhost:9200/remote.php/dav/spaces/x%20y/film.mp4";

struct Setting {
    documents: Arc<MemoryDocuments>,
    accounts: Arc<Accounts>,
    keys: Arc<SigningKeys>,
    urls: SignedUrls,
}

impl Setting {
    fn new() -> Self {
        let (documents, accounts) = (Arc::<MemoryDocuments>::default(), Arc::<Accounts>::default());
        let throttle = Arc::new(Throttle::new(Limits::default()).unwrap());
        let life = Duration::from_secs(12 * 3600);
        let keys = Arc::new(SigningKeys::new(Arc::clone(&documents) as _, life));
        let users = Arc::clone(&accounts) as _;
        let urls = SignedUrls::new(Arc::clone(&keys), users, throttle, IDP).unwrap();
        Self { documents, accounts, keys, urls }
    }

    async fn key(&self, name: &str, seconds: u64) -> Secret {
        let cx = self.accounts.signed_in(name, seconds);
        self.keys.own(&cx, OwnSigningKey {}).await.unwrap().key
    }

    async fn fetch(&self, seconds: u64, method: &str, url: &str) -> Result<Arc<Identity>> {
        let credentials = Credentials::SignedUrl {
            method: method.into(),
            url: url.into(),
            peer: "192.0.2.1".parse().ok(),
        };
        self.urls.authenticate(&outside(seconds), credentials).await
    }

    async fn refused(&self, seconds: u64, method: &str, url: &str) -> bool {
        self.fetch(seconds, method, url).await.unwrap_err().kind() == ErrorKind::Unauthenticated
    }
}

/// `url` signed by `name` in the beginning, for `GET` and 20 minutes.
fn signed(url: &str, name: &str, key: &str) -> String {
    let date = at(0).to_string().replace(':', "%3A");
    let separator = if url.contains('?') { '&' } else { '?' };
    let url =
        format!("{url}{separator}OC-Credential={name}&OC-Date={date}&OC-Expires=1200&OC-Verb=GET");
    let mut signature = [0; 32];
    let (salt, text) = (key.as_bytes(), url.as_bytes());
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA512, ROUNDS, salt, text, &mut signature);
    format!("{url}&OC-Algo=PBKDF2%2F10000-SHA512&OC-Signature={}", hex(&signature))
}

#[tokio::test]
async fn a_signed_url_is_good_for_its_method_time_and_address_only() {
    let setting = Setting::new();
    let key = setting.key("marie", 0).await;
    let url = signed(&format!("{FILE}?download=1"), "marie", key.expose());
    for _ in 0..2 {
        let identity = setting.fetch(1, "GET", &url).await.unwrap();
        assert_eq!((identity.id.as_str(), &*identity.idp), ("id-marie", IDP));
    }
    assert!(setting.refused(1, "PUT", &url).await);
    assert!(setting.refused(1, "PUT", &url.replace("Verb=GET", "Verb=PUT")).await);
    assert!(setting.refused(1200, "GET", &url).await);
    assert!(setting.refused(1, "GET", &url.replace("=1200", "=1201")).await);
    assert!(setting.refused(1, "GET", &url.replace("film", "other")).await);
    assert!(setting.refused(61, "GET", &url.replace("download=1", "download=2")).await);
    assert!(setting.refused(121, "GET", &url.replace("localhost", "other.example.org")).await);
    assert!(setting.refused(181, "GET", &url.replace("=marie", "=moss")).await);
    assert!(setting.refused(241, "GET", &url.replace("download=1&", "")).await);
}

#[tokio::test]
async fn nobody_without_a_key_is_signed_in() {
    let setting = Setting::new();
    // CVE-2023-49105: signed with the key that an account without one has.
    for (seconds, name) in [(0, "marie"), (1, "nobody"), (2, "moss")] {
        assert!(setting.refused(seconds, "GET", &signed(FILE, name, "")).await, "{name}");
    }
    // Somebody else's key.
    let key = setting.key("moss", 0).await;
    assert!(setting.refused(3, "GET", &signed(FILE, "marie", key.expose())).await);
    // A document without a key in it.
    let own = own_account(&outside(4));
    let (of_moss, of_marie) = ("id-moss", "id-marie");
    let [from, to] = [of_moss, of_marie].map(|id| keys::place(&UserId::parse(id).unwrap()));
    let document = setting.documents.get(&own, from).await.unwrap().unwrap();
    let empty = String::from_utf8(document.content).unwrap().replace(key.expose(), "");
    let condition = DocumentCondition::None;
    let request = PutDocument { key: to, content: empty.into_bytes(), condition };
    setting.documents.put(&own, request).await.unwrap();
    assert!(setting.fetch(4, "GET", &signed(FILE, "marie", "")).await.is_err());
}

#[tokio::test]
async fn a_key_is_kept_until_it_ends() {
    let setting = Setting::new();
    let key = setting.key("marie", 0).await;
    assert_eq!(key.expose().len(), 128);
    assert_eq!(setting.key("marie", 12 * 3600 - 1).await, key);
    assert_ne!(setting.key("moss", 0).await, key);
    let life = Duration::from_secs(12 * 3600);
    let again = SigningKeys::new(Arc::clone(&setting.documents) as _, life);
    let cx = setting.accounts.signed_in("marie", 1);
    assert_eq!(again.own(&cx, OwnSigningKey {}).await.unwrap().key, key, "after a restart");
    assert_ne!(setting.key("marie", 12 * 3600).await, key);
}

#[tokio::test]
async fn a_disabled_account_is_out_at_once() {
    let setting = Setting::new();
    let url = signed(FILE, "marie", setting.key("marie", 0).await.expose());
    setting.fetch(1, "GET", &url).await.unwrap();
    setting.accounts.change("marie", |user| user.enabled = false);
    assert!(setting.refused(1, "GET", &url).await);
    let key = setting.key("marie", 0).await;
    let other = signed("https://localhost:9200/other", "marie", key.expose());
    assert!(setting.refused(1, "GET", &other).await);
}

#[tokio::test]
async fn guessing_is_slowed_down_whether_or_not_there_is_the_account() {
    for name in ["marie", "nobody"] {
        let setting = Setting::new();
        let kinds = futures::future::join_all((0..7).map(|guess: u32| {
            let url = signed(FILE, name, &guess.to_string());
            let setting = &setting;
            async move { setting.fetch(0, "GET", &url).await.unwrap_err().kind() }
        }));
        let kinds = kinds.await;
        assert_eq!(kinds[..5], [ErrorKind::Unauthenticated; 5], "{name}");
        assert_eq!(kinds[5..], [ErrorKind::ResourceExhausted; 2], "{name}");
    }
}
