//! Accounts in an OpenLDAP: what every directory must do, and what people notice of it.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use ocis_auth::basic::{Basic, BasicOptions};
use ocis_auth::ldap::{DisableUsers, Ldap, LdapOptions};
use ocis_core::config::Secret;
use ocis_core::conformance::{self, Accounts};
use ocis_core::port::{ListUsers, PageRequest, Users as _};
use ocis_core::time::Timestamp;
use ocis_core::{Caller, Cx};

use ocis_conformance::harness::openldap::{
    BASE, DISABLED_DN, READER_DN, READER_PASSWORD, ROOT_DN, ROOT_PASSWORD, user_dn,
};
use ocis_conformance::harness::{ADMIN_PASSWORD, OpenLdap, Plan, World};

/// Answers of an LDAP server are believed for a minute; recovery after an outage takes none.
const SOON: Duration = Duration::from_secs(20);

pub(crate) fn register(plan: &mut Plan) {
    plan.add("openldap-suite", |_| suite(DisableUsers::Attribute));
    plan.add("openldap-suite-disabled-by-group", |_| {
        suite(DisableUsers::Group(DISABLED_DN.to_owned()))
    });
    plan.add("openldap-octets", |_| octets());
    plan.add("openldap-pages", |_| pages());
    plan.add("openldap-sign-in", sign_in);
    plan.add("openldap-disabled-by-attribute", disabled_by_attribute);
    plan.add("openldap-disabled-by-group", disabled_by_group);
    plan.add("openldap-changes", changes);
    plan.add("openldap-read-only", read_only);
    plan.add("openldap-outage", outage);
    plan.add("openldap-wrong-certificate", wrong_certificate);
    plan.add("openldap-starttls", starttls);
}

fn options(server: &OpenLdap) -> LdapOptions {
    let mut options = LdapOptions {
        servers: vec![server.url()],
        ca_cert: Some(server.authority()),
        bind_dn: ROOT_DN.to_owned(),
        bind_password: Secret::new(ROOT_PASSWORD),
        ..LdapOptions::default()
    };
    options.users.place.base_dn = format!("ou=users,{BASE}");
    options.groups.place.base_dn = format!("ou=groups,{BASE}");
    options
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?)
}

/// The suites that the embedded directory passes as well.
fn suite(disable: DisableUsers) -> Result<()> {
    let server = OpenLdap::start(0)?;
    runtime()?.block_on(async {
        let ldap = std::sync::Arc::new(Ldap::new(LdapOptions { disable, ..options(&server) })?);
        let clone = std::sync::Arc::clone(&ldap);
        let basic = Basic::new(clone, BasicOptions::new("https://localhost:9200"))?;
        conformance::users(&*ldap).await;
        conformance::groups(&*ldap, &*ldap).await;
        conformance::authenticate(&basic, "einstein", "relativity").await;
        let accounts =
            Accounts { users: &*ldap, groups: &*ldap, provisioning: &*ldap, authenticate: &basic };
        conformance::provisioning(accounts).await;
        let mut read_only = options(&server);
        read_only.changes.enabled = false;
        let read_only = Ldap::new(read_only)?;
        conformance::read_only(&read_only, &read_only, &read_only).await;
        Ok(())
    })
}

/// Ids in the 16 bytes of a UUID, as Active Directory has them.
fn octets() -> Result<()> {
    let server = OpenLdap::start(40)?;
    runtime()?.block_on(async {
        let mut options = options(&server);
        for id in [&mut options.users.id, &mut options.groups.id] {
            "testGuid".clone_into(&mut id.name);
            id.octets = true;
        }
        let ldap = Ldap::new(options)?;
        conformance::users(&ldap).await;
        conformance::groups(&ldap, &ldap).await;
        Ok(())
    })
}

/// A list that the server does not give at once comes in pages.
fn pages() -> Result<()> {
    let server = OpenLdap::start(1200)?;
    runtime()?.block_on(async {
        let options = LdapOptions {
            bind_dn: READER_DN.to_owned(),
            bind_password: Secret::new(READER_PASSWORD),
            ..options(&server)
        };
        let ldap = Ldap::new(options)?;
        let cx = Cx::new(Caller::Service("test".into()), Timestamp::from_unix(1_767_225_600, 0)?);
        let (mut names, mut cursor) = (Vec::new(), None);
        loop {
            let request = ListUsers { search: None, page: PageRequest { cursor, limit: 1000 } };
            let page = ldap.list(&cx, request).await?;
            names.extend(page.items.into_iter().map(|user| user.username));
            match page.next {
                Some(next) => cursor = Some(next),
                None => break,
            }
        }
        ensure!(names.len() == 1206, "{} accounts instead of 1206", names.len());
        ensure!(names.is_sorted(), "not in order");
        Ok(())
    })
}

/// Signing in, groups and display names, the personal space, and the names of others in a search.
fn sign_in(world: &World) -> Result<()> {
    let directory = OpenLdap::start(0)?;
    let server = directory.launch(world.launch()?)?.start()?;
    let mut einstein = server.user("einstein", "relativity");
    let me = einstein.get("/graph/v1.0/me?$expand=memberOf")?.expect(&[200])?.json()?;
    ensure!(me["displayName"] == "Albert Einstein", "{me}");
    ensure!(me["id"] == "4c510ada-c86b-4815-8820-42cdf82c3d51", "{me}");
    let groups = me["memberOf"].to_string();
    ensure!(groups.contains("physics-lovers") && groups.contains("\"users\""), "{me}");
    einstein.put("/dav/files/einstein/a.txt", b"text")?.expect(&[201])?;
    ensure!(einstein.get("/dav/files/einstein/a.txt")?.body == b"text", "wrong bytes");
    server.user("EINSTEIN", "relativity").get("/graph/v1.0/me")?.expect(&[200])?;
    for (name, password) in [
        ("einstein", "Relativity"),
        ("einstein", ""),
        ("nobody", "relativity"),
        ("*", "relativity"),
        ("einstein)(uid=*", "relativity"),
        ("admin", "relativity"),
    ] {
        server.user(name, password).get("/graph/v1.0/me")?.expect(&[401])?;
    }
    server.user("admin", ADMIN_PASSWORD).get("/graph/v1.0/me")?.expect(&[200])?;
    Ok(())
}

fn disabled_by_attribute(world: &World) -> Result<()> {
    let directory = OpenLdap::start(0)?;
    set_enabled(&directory, "marie", false)?;
    let server = directory.launch(world.launch()?)?.start()?;
    server.user("marie", "radioactivity").get("/graph/v1.0/me")?.expect(&[401])?;
    set_enabled(&directory, "marie", true)?;
    server.user("marie", "radioactivity").get("/graph/v1.0/me")?.expect(&[200])?;
    Ok(())
}

fn set_enabled(directory: &OpenLdap, name: &str, enabled: bool) -> Result<()> {
    let value = if enabled { "TRUE" } else { "FALSE" };
    directory.modify(&format!(
        "dn: {}\nchangetype: modify\nreplace: ownCloudUserEnabled\nownCloudUserEnabled: {value}\n",
        user_dn(name)
    ))
}

fn disabled_by_group(world: &World) -> Result<()> {
    let directory = OpenLdap::start(0)?;
    let server = directory
        .launch(world.launch()?)?
        .env("OCIS_LDAP_DISABLE_USER_MECHANISM", "group")
        .env("OCIS_LDAP_DISABLED_USERS_GROUP_DN", DISABLED_DN)
        .start()?;
    let member = |verb: &str| {
        let dn = user_dn("marie");
        directory.modify(&format!(
            "dn: {DISABLED_DN}\nchangetype: modify\n{verb}: member\nmember: {dn}\n"
        ))
    };
    member("add")?;
    server.user("marie", "radioactivity").get("/graph/v1.0/me")?.expect(&[401])?;
    server.user("einstein", "relativity").get("/graph/v1.0/me")?.expect(&[200])?;
    member("delete")?;
    server.user("marie", "radioactivity").get("/graph/v1.0/me")?.expect(&[200])?;
    Ok(())
}

/// What an administrator changes through Graph is changed in the directory.
fn changes(world: &World) -> Result<()> {
    let directory = OpenLdap::start(0)?;
    let server = directory.launch(world.launch()?)?.start()?;
    let mut admin = server.admin();
    let mut send = |method: &str, path: &str, body: &str, status: u16| {
        let json = ("Content-Type", "application/json");
        admin.send(method, path, &[json], body.as_bytes())?.expect(&[status])
    };
    let ada = "{\"onPremisesSamAccountName\":\"ada\",\"displayName\":\"Ada Lovelace\",\
        \"mail\":\"ada@example.org\",\"passwordProfile\":{\"password\":\"analytical\"}}";
    let id = send("POST", "/graph/v1.0/users", ada, 201)?.json()?["id"].clone();
    let id = id.as_str().context("no id")?.to_owned();
    let entry = directory.search(&["(uid=ada)", "displayName", "ownCloudUUID", "userPassword"])?;
    ensure!(entry.contains(&id) && entry.contains("Ada Lovelace"), "{entry}");
    ensure!(!entry.contains("analytical"), "the password is stored as it is: {entry}");
    server.user("ada", "analytical").get("/graph/v1.0/me")?.expect(&[200])?;
    let group = send("POST", "/graph/v1.0/groups", "{\"displayName\":\"engines\"}", 201)?.json()?;
    let group = group["id"].as_str().context("no id")?.to_owned();
    let member = format!("{{\"@odata.id\":\"{}/graph/v1.0/users/{id}\"}}", server.url());
    send("POST", &format!("/graph/v1.0/groups/{group}/members/$ref"), &member, 204)?;
    let entry = directory.search(&["(cn=engines)", "member"])?;
    ensure!(entry.contains(&format!("member: {}", user_dn("ada"))), "{entry}");
    let user = format!("/graph/v1.0/users/{id}");
    send("PATCH", &user, "{\"displayName\":\"Countess\",\"accountEnabled\":false}", 200)?;
    let entry = directory.search(&["(uid=ada)"])?;
    ensure!(entry.contains("displayName: Countess"), "{entry}");
    ensure!(entry.contains("ownCloudUserEnabled: FALSE"), "{entry}");
    send("DELETE", &user, "", 204)?;
    ensure!(directory.search(&["(uid=ada)"])?.is_empty(), "the entry is still there");
    let entry = directory.search(&["(cn=engines)", "member"])?;
    ensure!(!entry.contains("uid=ada"), "still a member: {entry}");
    send("DELETE", &format!("/graph/v1.0/groups/{group}"), "", 204)?;
    Ok(())
}

/// Where nothing may be changed, clients are told so, and nothing is.
fn read_only(world: &World) -> Result<()> {
    let directory = OpenLdap::start(0)?;
    let launch = directory.launch(world.launch()?)?;
    let server = launch.env("OCIS_LDAP_SERVER_WRITE_ENABLED", "false").start()?;
    let mut admin = server.admin();
    let path = "/ocs/v1.php/cloud/capabilities?format=json";
    let users = admin.get(path)?.expect(&[200])?.json()?;
    let users = &users["ocs"]["data"]["capabilities"]["graph"]["users"];
    ensure!(users["create_disabled"] == true && users["delete_disabled"] == true, "{users}");
    let path = format!("/graph/v1.0/users/{}", "4c510ada-c86b-4815-8820-42cdf82c3d51");
    let body = b"{\"displayName\":\"Somebody\"}";
    admin.send("PATCH", &path, &[("Content-Type", "application/json")], body)?.expect(&[403])?;
    admin.send("DELETE", &path, &[], b"")?.expect(&[403])?;
    let entry = directory.search(&["(uid=einstein)"])?;
    ensure!(entry.contains("displayName: Albert Einstein"), "{entry}");
    Ok(())
}

/// The directory is killed and comes back while the server runs.
fn outage(world: &World) -> Result<()> {
    let directory = OpenLdap::start(0)?;
    let server = directory.launch(world.launch()?)?.start()?;
    server.user("einstein", "relativity").get("/graph/v1.0/me")?.expect(&[200])?;
    directory.kill();
    let start = Instant::now();
    let away = server.user("marie", "radioactivity").get("/graph/v1.0/me")?.expect(&[503])?;
    ensure!(start.elapsed() < SOON, "waited {:?} for {}", start.elapsed(), away.status);
    directory.resume()?;
    server.user("marie", "radioactivity").get("/graph/v1.0/me")?.expect(&[200])?;
    // Who was remembered while it was away is asked about again, on connections that are gone.
    server.user("einstein", "relativity").get("/graph/v1.0/me")?.expect(&[200])?;
    server.user("richard", "wrong").get("/graph/v1.0/me")?.expect(&[401])?;
    Ok(())
}

/// A server with a certificate of somebody else is not talked to, unless the settings say so.
fn wrong_certificate(world: &World) -> Result<()> {
    let (directory, other) = (OpenLdap::start(0)?, OpenLdap::start(0)?);
    let authority = other.authority().display().to_string();
    let launch = directory.launch(world.launch()?)?.env("OCIS_LDAP_CACERT", &authority);
    let server = launch.start()?;
    server.user("einstein", "relativity").get("/graph/v1.0/me")?.expect(&[503])?;
    let server = launch_insecure(world, &directory, &authority)?.start()?;
    server
        .user("einstein", "relativity")
        .get("/graph/v1.0/me")?
        .expect(&[200])
        .context("with OCIS_LDAP_INSECURE")?;
    Ok(())
}

/// A server that refuses everything that is not secure is asked over StartTLS, and trusted no more
/// than over LDAPS.
fn starttls(world: &World) -> Result<()> {
    let (directory, other) = (OpenLdap::start(0)?, OpenLdap::start(0)?);
    let launch = directory.launch(world.launch()?)?;
    let server = launch.env("OCIS_LDAP_URI", &directory.starttls_url()).start()?;
    server.user("einstein", "relativity").get("/graph/v1.0/me")?.expect(&[200])?;
    server.user("einstein", "Relativity").get("/graph/v1.0/me")?.expect(&[401])?;
    let plain = directory.starttls_url().replace("+starttls", "");
    let launch = directory.launch(world.launch()?)?.env("OCIS_LDAP_URI", &plain);
    launch.start()?.user("einstein", "relativity").get("/graph/v1.0/me")?.expect(&[503])?;
    let launch = directory.launch(world.launch()?)?;
    let server = launch
        .env("OCIS_LDAP_URI", &directory.starttls_url())
        .env("OCIS_LDAP_CACERT", &other.authority().display().to_string())
        .start()?;
    server.user("einstein", "relativity").get("/graph/v1.0/me")?.expect(&[503])?;
    Ok(())
}

fn launch_insecure(
    world: &World,
    directory: &OpenLdap,
    authority: &str,
) -> Result<ocis_conformance::harness::Launch> {
    Ok(directory
        .launch(world.launch()?)?
        .env("OCIS_LDAP_CACERT", authority)
        .env("OCIS_LDAP_INSECURE", "true"))
}
