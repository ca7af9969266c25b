//! The embedded directory: over LDAPS with `ldapsearch` and its kind, and taken over from a real oCIS
//! whose people go on signing in and reading their files.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use ocis_conformance::harness::{Finished, Launch, Plan, Server, World, encoded, run};
use serde_json::Value;
use sha1::{Digest as _, Sha1};

const BASE: &str = "o=libregraph-idm";
const LIMIT: Duration = Duration::from_secs(30);

pub(crate) fn register(plan: &mut Plan) {
    plan.add("idm-ldapsearch", ldapsearch);
    plan.add("idm-of-a-real-ocis", real_ocis);
}

/// Runs a tool of OpenLDAP against idm, trusting its certificate; `who` is a DN with a password.
fn tool(server: &Server, name: &str, who: Option<(&str, &str)>, rest: &[&str]) -> Result<Finished> {
    let launch = server.launch();
    let url = launch.value("OCIS_LDAP_URI").to_owned();
    let mut command = Command::new(name);
    command.args(["-x", "-H", &url]);
    if let Some((dn, password)) = who {
        command.args(["-D", dn, "-w", password]);
    }
    command.args(rest).env("LDAPTLS_CACERT", launch.data().join("idm/ldap.crt"));
    run(&mut command, LIMIT)
}

/// A value of the configuration that `ocis init` wrote.
fn configured(launch: &Launch, service: &str, name: &str) -> Result<String> {
    let text = std::fs::read_to_string(launch.config("ocis.yaml"))?;
    let yaml: serde_yaml::Value = serde_yaml::from_str(&text)?;
    let value = yaml.get(service).and_then(|part| part.get("service_user_passwords"));
    let value = value.and_then(|part| part.get(name)).and_then(serde_yaml::Value::as_str);
    Ok(value.with_context(|| format!("{name} is not configured"))?.to_owned())
}

fn ldapsearch(world: &World) -> Result<()> {
    let launch = world.launch()?.demo_users();
    launch.init()?;
    let password = configured(&launch, "idm", "reva_password")?;
    let server = launch.start()?;
    let reader = Some(("uid=reva,ou=sysusers,o=libregraph-idm", password.as_str()));
    let found = tool(
        &server,
        "ldapsearch",
        reader,
        &["-LLL", "-b", BASE, "(objectClass=inetOrgPerson)", "uid", "displayName", "userPassword"],
    )?
    .success("ldapsearch")?
    .stdout;
    for name in ["admin", "einstein", "katherine", "marie", "moss", "richard"] {
        ensure!(found.contains(&format!("\nuid: {name}\n")), "{name} is missing:\n{found}");
    }
    ensure!(!found.to_lowercase().contains("userpassword"), "a password is given out");
    let pages = tool(
        &server,
        "ldapsearch",
        reader,
        &["-LLL", "-E", "pr=2/noprompt", "-b", BASE, "(uid=*)", "uid"],
    )?
    .success("ldapsearch in pages")?
    .stdout;
    ensure!(pages.matches("\nuid: ").count() == 6 + 3, "pages lose something:\n{pages}");

    let marie = "uid=marie,ou=users,o=libregraph-idm";
    let everything = ["-LLL", "-b", BASE, "(objectClass=*)", "dn"];
    // LDAP's codes are the tools' exit codes: 50 may not, 49 wrong password, 6 equal, 5 not.
    for (name, who, arguments, code) in [
        ("ldapsearch", None, &everything[..], 49),
        ("ldapsearch", Some((marie, "wrong")), &everything, 49),
        ("ldapsearch", Some(("uid=nobody,ou=users,o=libregraph-idm", "x")), &everything, 49),
        ("ldapsearch", Some((marie, "radioactivity")), &everything, 0),
        ("ldapcompare", reader, &[marie, "mail:MARIE@example.org"], 6),
        ("ldapcompare", reader, &[marie, "mail:einstein@example.org"], 5),
        ("ldapwhoami", reader, &[], 0),
        ("ldapdelete", reader, &[marie], 50),
    ] {
        let done = tool(&server, name, who, arguments)?;
        ensure!(done.code() == code, "{name} {who:?} {arguments:?}, not {code}: {}", done.said());
    }
    let own = tool(&server, "ldapsearch", Some((marie, "radioactivity")), &everything)?.stdout;
    ensure!(own.matches("dn: ").count() == 1, "people see more than themselves:\n{own}");

    let password = configured(server.launch(), "idm", "idm_password")?;
    let writer = Some(("uid=libregraph,ou=sysusers,o=libregraph-idm", password.as_str()));
    tool(&server, "ldappasswd", writer, &["-s", "polonium", marie])?.success("ldappasswd")?;
    server.user("marie", "polonium").get("/ocs/v1.php/cloud/user")?.expect(&[200])?;
    server.user("marie", "radioactivity").get("/ocs/v1.php/cloud/user")?.expect(&[401])?;
    tool(&server, "ldapdelete", writer, &[marie])?.success("ldapdelete")?;
    server.user("marie", "polonium").get("/ocs/v1.php/cloud/user")?.expect(&[401])?;
    Ok(())
}

/// The data that a real oCIS left, in the repository.
fn fixture() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ocis-storage/tests/fixtures/ocis-7.tar.gz")
}

fn real_ocis(world: &World) -> Result<()> {
    let launch = world.launch()?.without("IDM_ADMIN_PASSWORD");
    let unpacked = launch.home().join("fixture");
    std::fs::create_dir(&unpacked)?;
    let mut tar = Command::new("tar");
    tar.arg("-xzf").arg(fixture()).arg("-C").arg(&unpacked);
    run(&mut tar, LIMIT)?.success("tar")?;
    std::fs::rename(unpacked.join("data"), launch.data())?;
    std::fs::rename(unpacked.join("config"), launch.data().join("config"))?;
    let database = launch.data().join("idm/ocis.boltdb");
    let before = std::fs::read(&database)?;
    let server = launch.start()?;
    let people = [
        ("admin", "admin"),
        ("einstein", "relativity"),
        ("marie", "radioactivity"),
        ("moss", "vista"),
        ("richard", "superfluidity"),
        ("katherine", "gemini"),
        ("lise", "fission-1938"),
    ];
    for (name, password) in people {
        let mut client = server.user(name, password);
        let user = client.get("/ocs/v1.php/cloud/user?format=json")?.expect(&[200])?.json()?;
        ensure!(user["ocs"]["data"]["id"] == name, "{user}");
        server.user(name, "another").get("/ocs/v1.php/cloud/user")?.expect(&[401])?;
    }
    let contents = std::fs::read(unpacked.join("manifest/contents.json"))?;
    let contents: Value = serde_json::from_slice(&contents)?;
    let mut read = 0;
    for file in contents.as_array().context("contents.json is no list")? {
        let text = |key: &str| file[key].as_str().unwrap_or_default();
        let password = people.iter().find(|(name, _)| *name == text("user"));
        let (name, password) = password.with_context(|| format!("nobody reads {file}"))?;
        let path: Vec<_> = text("path").split('/').map(encoded).collect();
        let path = format!("{}{}", text("space"), path.join("/"));
        let reply = server.user(name, password).get(&path)?.expect(&[200])?;
        let sum: String = Sha1::digest(&reply.body).iter().map(|b| format!("{b:02x}")).collect();
        ensure!(sum == text("sha1"), "{path} has another content");
        read += 1;
    }
    ensure!(read > 10, "only {read} files were read");
    ensure!(std::fs::read(&database)? == before, "oCIS's own directory was changed");
    Ok(())
}
