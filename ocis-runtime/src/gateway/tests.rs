//! Routing by storage id, on storages that tell who was asked.

use http::Request;
use http_body_util::BodyExt as _;
use ocis_core::data::{Body, HttpService, TICKET, empty, full};
use ocis_core::etag::Etag;
use ocis_core::id::{ResourceId, SpaceId};
use ocis_core::permissions::Permissions;
use ocis_core::port::{
    CreateSpace, DisableSpace, GetSpace, ListSpaces, OpenUpload, Page, PageRequest, PurgeSpace,
    RestoreSpace, Spaces, UpdateSpace, UploadTicket, Uploads,
};
use ocis_core::quota::Quota;
use ocis_core::reference::Reference;
use ocis_core::space::{Space, SpaceKind};
use ocis_core::time::Timestamp;
use ocis_core::{Caller, Cx, Error, ErrorKind};
use tower::{ServiceExt as _, service_fn};

use super::*;
use crate::peers::{Offer, Offered, Peers};

fn cx() -> Cx {
    Cx::new(Caller::Anonymous, Timestamp::from_unix(0, 0).unwrap())
}

struct Storage(&'static str, Vec<&'static str>);

impl Storage {
    fn space(&self, name: &str) -> Space {
        let now = Timestamp::from_unix(0, 0).unwrap();
        Space {
            root: ResourceId::root(
                StorageId::parse(self.0).unwrap(),
                SpaceId::parse(name).unwrap(),
            ),
            kind: SpaceKind::Project,
            name: name.into(),
            alias: String::new(),
            description: String::new(),
            owner: None,
            quota: Quota { total: None, used: 0, remaining: None },
            etag: Etag::new("e"),
            mtime: now,
            permissions: Permissions::default(),
            image: None,
            readme: None,
            disabled: None,
        }
    }
}

#[async_trait::async_trait]
impl Spaces for Storage {
    async fn list(&self, _: &Cx, request: ListSpaces) -> Result<Page<Space>> {
        let at: usize = request.page.cursor.map_or(0, |cursor| cursor.0.parse().unwrap());
        let next = (at + 1 < self.1.len()).then(|| ocis_core::port::Cursor((at + 1).to_string()));
        Ok(Page { items: self.1.get(at).map(|name| self.space(name)).into_iter().collect(), next })
    }

    async fn get(&self, _: &Cx, request: GetSpace) -> Result<Space> {
        Ok(self.space(request.space.space.as_str()))
    }

    async fn create(&self, _: &Cx, request: CreateSpace) -> Result<Space> {
        Ok(self.space(&request.name))
    }

    async fn update(&self, _: &Cx, _: UpdateSpace) -> Result<Space> {
        Err(Error::unimplemented("not in this fake"))
    }

    async fn disable(&self, _: &Cx, _: DisableSpace) -> Result<()> {
        Err(Error::unimplemented("not in this fake"))
    }

    async fn restore(&self, _: &Cx, _: RestoreSpace) -> Result<Space> {
        Err(Error::unimplemented("not in this fake"))
    }

    async fn purge(&self, _: &Cx, _: PurgeSpace) -> Result<()> {
        Err(Error::unimplemented("not in this fake"))
    }
}

#[async_trait::async_trait]
impl Uploads for Storage {
    async fn open(&self, _: &Cx, _: OpenUpload) -> Result<UploadTicket> {
        Ok(UploadTicket { ticket: format!("t!{}", self.0) })
    }
}

fn data_plane(name: &'static str) -> HttpService {
    HttpService::new(service_fn(move |request: Request<Body>| async move {
        let ticket = request.headers()[TICKET].to_str().unwrap().to_owned();
        Ok::<_, std::convert::Infallible>(http::Response::new(full(format!("{name} {ticket}"))))
    }))
}

fn two_storages() -> Peers {
    let peers = Peers::new();
    let offers = |id: &'static str, spaces: &[&'static str]| {
        let storage = Arc::new(Storage(id, spaces.to_vec()));
        let key = || Some(id.to_owned());
        vec![
            Offered { key: key(), offer: Offer::Spaces(Arc::<Storage>::clone(&storage)) },
            Offered { key: key(), offer: Offer::Uploads(storage) },
            Offered { key: key(), offer: Offer::Data(data_plane(id)) },
        ]
    };
    peers.bind("storage-a", offers("a", &["one", "two"]), None).unwrap();
    peers.bind("storage-b", offers("b", &["three"]), None).unwrap();
    peers
}

fn reference(storage: &str) -> Reference {
    let space = SpaceId::parse("s").unwrap();
    Reference::node(ResourceId::root(StorageId::parse(storage).unwrap(), space))
}

fn upload(storage: &str) -> OpenUpload {
    OpenUpload {
        target: reference(storage),
        length: None,
        mtime: None,
        checksum: None,
        conditions: Default::default(),
    }
}

#[tokio::test]
async fn a_list_goes_through_all_storages() {
    let gateway = SpacesGateway::new(two_storages().keyed_spaces(), StorageId::parse("b").unwrap());
    let (mut names, mut cursor) = (Vec::new(), None);
    loop {
        let page = PageRequest { cursor, limit: 1 };
        let page = gateway.list(&cx(), ListSpaces { page, ..Default::default() }).await.unwrap();
        names.extend(page.items.into_iter().map(|space| space.name));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(names, ["one", "two", "three"]);
    let create = CreateSpace::new(SpaceKind::Project, "new");
    assert_eq!(gateway.create(&cx(), create).await.unwrap().root.storage.as_str(), "b");
}

#[tokio::test]
async fn bytes_go_to_the_storage_whose_ticket_it_is() {
    let peers = two_storages();
    let uploads = UploadsGateway::new(peers.keyed_uploads());
    let data = data_gateway(peers.keyed_data());
    for storage in ["a", "b"] {
        let ticket = uploads.open(&cx(), upload(storage)).await.unwrap().ticket;
        let request = Request::put("/").header(TICKET, ticket).body(empty()).unwrap();
        let response = data.clone().oneshot(request).await.unwrap();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, format!("{storage} t!{storage}"));
    }
}

#[tokio::test]
async fn unknown_and_stopped_storages_are_told_apart() {
    let peers = two_storages();
    let uploads = UploadsGateway::new(peers.keyed_uploads());
    let error = uploads.open(&cx(), upload("c")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    peers.unbind("storage-a");
    let error = uploads.open(&cx(), upload("a")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);

    let data = data_gateway(peers.keyed_data());
    for (ticket, status) in [("a!x", 503), ("c!x", 404), ("x", 403), ("!x", 400)] {
        let request = Request::put("/").header(TICKET, ticket).body(empty()).unwrap();
        assert_eq!(data.clone().oneshot(request).await.unwrap().status(), status, "{ticket}");
    }
}
