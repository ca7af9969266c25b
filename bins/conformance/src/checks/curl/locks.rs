//! Locks as office programs and file managers use them (RFC 4918 sections 6, 7 and 10.4).

use anyhow::{Context, Result, ensure};

use super::own_folder;
use ocis_conformance::harness::{Plan, Reply, World};

pub(super) fn register(plan: &mut Plan) {
    plan.add("http-lock-file", lock_file);
    plan.add("http-lock-folder", lock_folder);
    plan.add("http-lock-unmapped", lock_unmapped);
}

const INFO: &[u8] = br#"<?xml version="1.0"?><d:lockinfo xmlns:d="DAV:">
    <d:lockscope><d:exclusive/></d:lockscope><d:locktype><d:write/></d:locktype>
    <d:owner><d:href>mailto:somebody@example.org</d:href></d:owner></d:lockinfo>"#;

fn token(reply: &Reply) -> Result<String> {
    Ok(reply.header("lock-token").context("no Lock-Token")?.to_owned())
}

fn lock_file(world: &World) -> Result<()> {
    let server = world.shared()?;
    let file = format!("{}/file", own_folder(&server, "lock file")?);
    let mut admin = server.admin();
    admin.put(&file, b"one")?.expect(&[201])?;
    let timeout = ("Timeout", "Second-600");
    let locked = admin.send("LOCK", &file, &[timeout], INFO)?.expect(&[200])?;
    ensure!(locked.text().contains("mailto:somebody@example.org"), "owner: {}", locked.text());
    let token = token(&locked)?;
    admin.put(&file, b"two")?.expect(&[423])?;
    admin.send("DELETE", &file, &[], b"")?.expect(&[423])?;
    admin.send("LOCK", &file, &[], INFO)?.expect(&[423])?;
    admin.get(&file)?.expect(&[200])?;
    let condition = format!("({token})");
    let holding = ("If", condition.as_str());
    admin.send("PUT", &file, &[holding], b"two")?.expect(&[204])?;
    admin.send("LOCK", &file, &[holding, ("Timeout", "Second-900")], b"")?.expect(&[200])?;
    let shown = admin.propfind(&file, "0")?.expect(&[207])?.text();
    ensure!(shown.contains(token.trim_matches(['<', '>'])), "lockdiscovery: {shown}");
    let wrong = ("Lock-Token", "<opaquelocktoken:00000000-0000-0000-0000-000000000000>");
    admin.send("UNLOCK", &file, &[wrong], b"")?.expect(&[409, 423, 403])?;
    admin.send("UNLOCK", &file, &[], b"")?.expect(&[400])?;
    admin.send("UNLOCK", &file, &[("Lock-Token", &token)], b"")?.expect(&[204])?;
    admin.put(&file, b"three")?.expect(&[204])?;
    Ok(())
}

fn lock_folder(world: &World) -> Result<()> {
    let server = world.shared()?;
    let folder = own_folder(&server, "lock folder")?;
    let mut admin = server.admin();
    let locked = admin.send("LOCK", &folder, &[("Depth", "infinity")], INFO)?.expect(&[200])?;
    let token = token(&locked)?;
    admin.put(&format!("{folder}/new"), b"x")?.expect(&[423])?;
    admin.send("MKCOL", &format!("{folder}/sub"), &[], b"")?.expect(&[423])?;
    let condition = format!("<{}{folder}> ({token})", server.url());
    admin.send("PUT", &format!("{folder}/new"), &[("If", &condition)], b"x")?.expect(&[201])?;
    admin.send("UNLOCK", &folder, &[("Lock-Token", &token)], b"")?.expect(&[204])?;
    admin.put(&format!("{folder}/new"), b"y")?.expect(&[204])?;
    Ok(())
}

fn lock_unmapped(world: &World) -> Result<()> {
    let server = world.shared()?;
    let file = format!("{}/later", own_folder(&server, "lock unmapped")?);
    let mut admin = server.admin();
    let locked = admin.send("LOCK", &file, &[], INFO)?.expect(&[201])?;
    let token = token(&locked)?;
    let empty = admin.get(&file)?.expect(&[200])?;
    ensure!(empty.body.is_empty(), "not empty");
    admin.send("PUT", &file, &[("If", &format!("({token})"))], b"x")?.expect(&[204])?;
    admin.send("UNLOCK", &file, &[("Lock-Token", &token)], b"")?.expect(&[204])?;
    Ok(())
}
