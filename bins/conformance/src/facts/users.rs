//! Sections 7 and 8: the admin, the demo users and their groups, as a client sees them.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::Fact;
use ocis_conformance::harness::{ADMIN_PASSWORD, DEMO_USERS, Server, World};

pub(super) const FACTS: &[Fact] = &[
    ("seed-7.admin", admin),
    ("seed-7.identity", identity),
    ("seed-7.group", group),
    ("seed-7.yaml", yaml),
    ("seed-7.initial-password", initial_password),
    ("seed-7.reset", reset),
    ("seed-8.einstein", |world| demo(world, 0)),
    ("seed-8.marie", |world| demo(world, 1)),
    ("seed-8.moss", |world| demo(world, 2)),
    ("seed-8.richard", |world| demo(world, 3)),
    ("seed-8.katherine", |world| demo(world, 4)),
    ("seed-8.group-users", |world| members(world, "users")),
    ("seed-8.group-sailing-lovers", |world| members(world, "sailing-lovers")),
    ("seed-8.group-violin-haters", |world| members(world, "violin-haters")),
    ("seed-8.group-radium-lovers", |world| members(world, "radium-lovers")),
    ("seed-8.group-polonium-lovers", |world| members(world, "polonium-lovers")),
    ("seed-8.group-quantum-lovers", |world| members(world, "quantum-lovers")),
    ("seed-8.group-philosophy-haters", |world| members(world, "philosophy-haters")),
    ("seed-8.group-physics-lovers", |world| members(world, "physics-lovers")),
    ("seed-8.display-names", display_names),
    ("seed-8.only-on-request", only_on_request),
];

/// Name, id, members.
const GROUPS: [(&str, &str, &[&str]); 8] = [
    (
        "users",
        "509a9dcd-bb37-4f4f-a01a-19dca27d9cfa",
        &["einstein", "marie", "richard", "moss", "admin"],
    ),
    ("sailing-lovers", "6040aa17-9c64-4fef-9bd0-77234d71bad0", &["einstein"]),
    ("violin-haters", "dd58e5ec-842e-498b-8800-61f2ec6f911f", &["einstein"]),
    ("radium-lovers", "7b87fd49-286e-4a5f-bafd-c535d5dd997a", &["marie"]),
    ("polonium-lovers", "cedc21aa-4072-4614-8676-fa9165f598ff", &["marie"]),
    ("quantum-lovers", "a1726108-01f8-4c30-88df-2b1a9d1cba1a", &["richard"]),
    ("philosophy-haters", "167cbee2-0518-455a-bfb2-031fe0621e5d", &["richard"]),
    ("physics-lovers", "262982c1-2362-4afa-bfdf-8cbfef64a06e", &["einstein", "marie", "richard"]),
];

/// `/graph/v1.0/me` of somebody, with the groups.
fn me(server: &Server, name: &str, password: &str) -> Result<Value> {
    server.user(name, password).get("/graph/v1.0/me?$expand=memberOf")?.expect(&[200])?.json()
}

/// Everybody's name and own description.
fn everybody(server: &Server) -> Result<Vec<(&'static str, Value)>> {
    let mut all = vec![("admin", me(server, "admin", ADMIN_PASSWORD)?)];
    for (name, password, _, _) in DEMO_USERS {
        all.push((name, me(server, name, password)?));
    }
    Ok(all)
}

fn groups_of(me: &Value) -> Vec<&Value> {
    me["memberOf"].as_array().map(|all| all.iter().collect()).unwrap_or_default()
}

fn admin(world: &World) -> Result<()> {
    let launch = world.launch()?.without("IDM_ADMIN_PASSWORD");
    let banner = launch.init()?.stdout;
    let line = banner.lines().find_map(|line| line.trim().strip_prefix("password   : "));
    let password = line.context("no password in the banner")?.to_owned();
    let server = launch.start()?;
    let me = me(&server, "admin", &password)?;
    ensure!(me["onPremisesSamAccountName"] == "admin", "{me}");
    ensure!(me["mail"] == "admin@example.org", "{me}");
    Ok(())
}

fn identity(world: &World) -> Result<()> {
    let server = world.shared()?;
    let file = std::fs::read_to_string(server.launch().config("ocis.yaml"))?;
    let file: serde_yaml::Value = serde_yaml::from_str(&file)?;
    let me = me(&server, "admin", ADMIN_PASSWORD)?;
    ensure!(me["displayName"] == "Admin", "{me}");
    let id = file["admin_user_id"].as_str().context("no admin_user_id")?;
    ensure!(me["id"] == id, "{me} instead of {id}");
    Ok(())
}

fn group(world: &World) -> Result<()> {
    let without = world.launch()?.start()?;
    let me = me(&without, "admin", ADMIN_PASSWORD)?;
    ensure!(groups_of(&me).is_empty(), "without demo users: {me}");
    Ok(())
}

fn yaml(world: &World) -> Result<()> {
    let launch = world.launch()?;
    launch.init()?;
    let file = std::fs::read_to_string(launch.config("ocis.yaml"))?;
    let file: serde_yaml::Value = serde_yaml::from_str(&file)?;
    let passwords = &file["idm"]["service_user_passwords"];
    ensure!(passwords["admin_password"] == *ADMIN_PASSWORD, "{passwords:?}");
    ensure!(passwords["idm_password"].as_str().is_some_and(|p| p.len() == 32), "{passwords:?}");
    Ok(())
}

/// At the first start only: later it is the directory that knows.
fn initial_password(world: &World) -> Result<()> {
    let launch = world.launch()?.without("IDM_ADMIN_PASSWORD");
    launch.init()?;
    let mut server = launch.env("IDM_ADMIN_PASSWORD", "first one").start()?;
    me(&server, "admin", "first one")?;
    server.terminate(Duration::from_secs(20))?;
    let server = server.launch().clone().env("IDM_ADMIN_PASSWORD", "another").start()?;
    server.user("admin", "another").get("/graph/v1.0/me")?.expect(&[401])?;
    me(&server, "admin", "first one")?;
    Ok(())
}

fn reset(world: &World) -> Result<()> {
    let mut server = world.launch()?.demo_users().start()?;
    server.terminate(Duration::from_secs(20))?;
    for (arguments, user) in [
        (vec!["idm", "resetpassword"], "admin"),
        (vec!["idm", "resetpassword", "-u", "marie"], "marie"),
    ] {
        let new = format!("new of {user}\nnew of {user}\n");
        server.launch().run_with_input(&arguments, &new)?.success("resetpassword")?;
    }
    server.restart()?;
    me(&server, "admin", "new of admin")?;
    me(&server, "marie", "new of marie")?;
    server.admin().get("/graph/v1.0/me")?.expect(&[401])?;
    Ok(())
}

fn demo(world: &World, number: usize) -> Result<()> {
    let (name, password, display, id) = DEMO_USERS[number];
    let server = world.shared()?;
    let me = me(&server, name, password)?;
    ensure!(me["onPremisesSamAccountName"] == name, "{me}");
    ensure!(me["displayName"] == display, "{me}");
    ensure!(me["mail"] == format!("{name}@example.org"), "{me}");
    ensure!(me["id"] == id, "{me}");
    let mut is: Vec<&str> =
        groups_of(&me).iter().filter_map(|group| group["displayName"].as_str()).collect();
    let mut should: Vec<&str> =
        GROUPS.iter().filter(|group| group.2.contains(&name)).map(|group| group.0).collect();
    is.sort_unstable();
    should.sort_unstable();
    ensure!(is == should, "groups {is:?}");
    Ok(())
}

fn members(world: &World, name: &str) -> Result<()> {
    let (_, id, should) = GROUPS.iter().find(|group| group.0 == name).context("group")?;
    let server = world.shared()?;
    for (user, me) in everybody(&server)? {
        let found = groups_of(&me).into_iter().find(|group| group["displayName"] == name);
        ensure!(found.is_some() == should.contains(&user), "{user}: {me}");
        ensure!(found.is_none_or(|group| group["id"] == *id), "the id of {name}: {me}");
    }
    Ok(())
}

fn display_names(world: &World) -> Result<()> {
    let server = world.shared()?;
    for ((_, me), demo) in everybody(&server)?.into_iter().skip(1).zip(DEMO_USERS) {
        ensure!(me["displayName"] == demo.2, "{me}");
        let identity = &me["identities"][0];
        ensure!(identity["issuer"] == server.url(), "{me}");
        ensure!(identity["issuerAssignedId"] == demo.3, "{me}");
    }
    Ok(())
}

/// Not by themselves, and not later; set at init it is kept for the first start.
fn only_on_request(world: &World) -> Result<()> {
    let mut server = world.launch()?.start()?;
    let refused = |server: &Server| -> Result<()> {
        server.user("einstein", "relativity").get("/graph/v1.0/me")?.expect(&[401])?;
        Ok(())
    };
    refused(&server)?;
    server.terminate(Duration::from_secs(20))?;
    let launch = world.launch()?.demo_users();
    launch.init()?;
    let server = launch.without("IDM_CREATE_DEMO_USERS").start()?;
    me(&server, "einstein", "relativity")?;
    Ok(())
}
