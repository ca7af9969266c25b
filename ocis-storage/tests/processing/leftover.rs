//! Sessions that oCIS left behind.

use std::path::{Path, PathBuf};

use ocis_core::port::SessionAction;
use ocis_storage::fs::{Fs as _, MemoryFs};
use ocis_storage::session::Append;
use ocis_storage::session::step::Outcome;

use super::LARGE;
use super::world::{Told, World, at};

const ID: &str = "4c510ada-c86b-4815-8820-42cdf82c3d51";

fn path(name: &str) -> PathBuf {
    Path::new("/store/uploads").join(name)
}

/// Takes out of a description what oCIS does not write.
fn as_ocis(disk: &MemoryFs, id: &str) {
    let info = path(&format!("{id}.info"));
    let mut file: serde_json::Value = serde_json::from_slice(&disk.read(&info).unwrap()).unwrap();
    file["Storage"].as_object_mut().unwrap().remove("Rust").unwrap();
    disk.write(&info, &serde_json::to_vec(&file).unwrap()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_goes_on_where_ocis_left_it() {
    let world = World::new(&[]).await;
    let root = at("").base;
    let info = format!(
        r#"{{"ID":"{ID}","Size":6,"SizeIsDeferred":false,"Offset":0,"MetaData":{{"dir":"/","expires":"1767312000.0","filename":"f","mtime":"1700000000.5","providerID":"storage"}},"IsPartial":false,"IsFinal":false,"PartialUploads":null,"Storage":{{"Chunk":"","Dir":"/","Idp":"https://localhost:9200","LogLevel":"error","NodeId":"{ID}","NodeName":"f","NodeParentId":"{}","SpaceGid":"","SpaceOwnerOrManager":"einstein","SpaceRoot":"{}","Type":"OCISStore","UserDisplayName":"Einstein","UserId":"einstein","UserName":"einstein","UserOpaque":"{{}}","UserType":"primary"}}}}"#,
        root.node, root.space
    );
    world.disk.write(&path(&format!("{ID}.info")), info.as_bytes()).unwrap();
    world.disk.write(&path(ID), b"abc").unwrap();
    let session = world.list().await.pop().unwrap();
    assert_eq!((session.offset, session.length, session.name.as_str()), (3, Some(6), "f"));
    assert_eq!(session.executant.unwrap().as_str(), "einstein");
    let body = ocis_core::data::full("def");
    let append = Append { offset: 3, announced: None, checksum: None, body };
    world.sessions.append(&session.id, append, world.cx.now).await.unwrap();
    assert_eq!(world.get("f").await.unwrap(), b"abcdef");
    let node = world.stat("f").await.unwrap();
    assert_eq!(node.info.mtime.to_string(), "2023-11-14T22:13:20.000000005Z");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ocis_was_processing_is_finished() {
    for overwritten in [false, true] {
        let step = Told::new("step");
        let world = World::new(&[&step]).await;
        let disk = world.disk.clone();
        if overwritten {
            step.order(Outcome::Continue);
            world.put("f", b"old").await.unwrap();
            world.finish().await;
        }
        world.put("f", &LARGE).await.unwrap();
        let id = world.list().await.pop().unwrap().id;
        world.store.close().unwrap();
        drop(world);
        // oCIS makes the blob last, and knows only one of the two places that name the version.
        as_ocis(&disk, id.as_str());
        let blob = Path::new("/store/spaces/ei/nstein/blobs");
        let text = id.as_str();
        let blob = blob.join(&text[..2]).join(&text[2..4]).join(&text[4..6]).join(&text[6..8]);
        disk.unlink(&blob.join(&text[8..])).unwrap();
        let world = World::open(disk, &[&step]).await;
        assert_eq!(world.list().await[0].processing.as_deref(), Some(""));
        step.order(if overwritten { Outcome::Delete } else { Outcome::Continue });
        world.finish().await;
        let now = world.get("f").await.unwrap();
        assert_eq!(now, if overwritten { &b"old"[..] } else { &LARGE });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ocis_gave_up_stays_until_somebody_decides() {
    let step = Told::new("step");
    let world = World::new(&[&step]).await;
    let disk = world.disk.clone();
    world.put("f", b"content").await.unwrap();
    step.order(Outcome::Abort);
    world.until(async |world| world.list().await[0].processing.is_none()).await;
    let id = world.list().await.pop().unwrap().id;
    world.store.close().unwrap();
    drop(world);
    as_ocis(&disk, id.as_str());
    let world = World::open(disk, &[&step]).await;
    let looked = std::sync::atomic::AtomicU32::new(0);
    let a_while = async |_: &World| looked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) > 50;
    world.until(a_while).await;
    assert_eq!(world.list().await.len(), 1);
    assert!(world.stat("f").await.is_err());
    step.order(Outcome::Continue);
    world.act(SessionAction::Restart).await.unwrap();
    world.finish().await;
    assert_eq!(world.get("f").await.unwrap(), b"content");
}
