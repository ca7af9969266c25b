//! What the acceptance tests of oCIS (`apiGraphUser`, `apiGraphGroup`, `apiGraphUserGroup`) ask of
//! Graph, as tables: names that are hard to write, who may do what, and what is refused with which
//! status and message. What they expect and oCIS itself does not do is left out.

use anyhow::{Context as _, Result, ensure};
use ocis_conformance::harness::{Client, Plan, Reply, World};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

const GRAPH: &str = "/graph/v1.0";
const JSON: [(&str, &str); 1] = [("Content-Type", "application/json")];
const PASSWORD: &str = "123456";
/// An id of nobody and nothing.
const NONE: &str = "00000000-0000-4000-8000-000000000000";

pub(crate) fn register(plan: &mut Plan) {
    plan.add("graph-acceptance", acceptance);
}

/// One request and what comes of it; an empty message stands for any.
type Row<'a> = (&'a str, String, Value, u16, &'a str);

fn ask(client: &mut Client, method: &str, path: &str, body: &Value) -> Result<Reply> {
    let path = path.replace(' ', "%20").replace('"', "%22");
    let body = if body.is_null() { String::new() } else { body.to_string() };
    client.send(method, &format!("{GRAPH}/{path}"), &JSON, body.as_bytes())
}

fn all(client: &mut Client, rows: &[Row<'_>]) -> Result<()> {
    for (method, path, body, status, message) in rows {
        let reply = ask(client, method, path, body)?;
        let told = reply.json().map(|json| json["error"]["message"].clone()).unwrap_or_default();
        let as_told = message.is_empty() || told == json!(message);
        ensure!(
            reply.status == *status && as_told,
            "{method} {path} {body}: {} {}, and not {status} {message}",
            reply.status,
            reply.text()
        );
    }
    Ok(())
}

fn id(reply: Reply) -> Result<String> {
    let made = reply.expect(&[201])?.json()?;
    Ok(made["id"].as_str().context("no id")?.to_owned())
}

fn account(name: &str, display: &str) -> Value {
    json!({
        "onPremisesSamAccountName": name,
        "displayName": display,
        "mail": format!("{}@example.org", name.to_lowercase()),
        "passwordProfile": { "password": PASSWORD },
    })
}

fn acceptance(world: &World) -> Result<()> {
    let server = world.launch()?.start()?;
    let mut admin = server.admin();
    let application = ask(&mut admin, "GET", "applications", &Value::Null)?.json()?;
    let application = &application["value"][0];
    let [admins, _, users, _] = application["appRoles"].as_array().context("no roles")?.as_slice()
    else {
        anyhow::bail!("not four roles: {application}")
    };
    let alice = id(ask(&mut admin, "POST", "users", &account("Alice", "Alice Hansen"))?)?;
    let brian = id(ask(&mut admin, "POST", "users", &account("Brian", "Brian Murphy"))?)?;
    let role = json!({
        "appRoleId": admins["id"], "principalId": alice, "resourceId": application["id"],
    });
    ask(&mut admin, "POST", &format!("users/{alice}/appRoleAssignments"), &role)?.expect(&[201])?;
    personal_space(&mut admin)?;
    let mut alice_asks = server.user("Alice", PASSWORD);
    accounts(&mut alice_asks, &brian)?;
    groups(&mut alice_asks, &format!("{}{GRAPH}/users", server.url()), &alice, &brian)?;
    let filter = format!(
        "users?$filter=(memberOf/any(m:m/displayName eq 'x')) and \
         appRoleAssignments/any(m:m/appRoleId eq '{}')",
        users["id"].as_str().unwrap_or_default()
    );
    all(&mut alice_asks, &[("GET", filter, Value::Null, 501, "unsupported filter")])?;
    let drive = ask(&mut alice_asks, "GET", "me/drive", &Value::Null)?.expect(&[200])?.json()?;
    let drive = drive["id"].as_str().context("no drive")?;
    others(&mut server.user("Brian", PASSWORD), drive, &alice, &brian)
}

/// It is there before its owner signed in.
fn personal_space(admin: &mut Client) -> Result<()> {
    let drives = ask(admin, "GET", "drives?$filter=driveType eq 'personal'", &Value::Null)?;
    let drives = drives.expect(&[200])?.json()?;
    let mut list = drives["value"].as_array().into_iter().flatten();
    let made = list.any(|drive| {
        drive["driveAlias"] == json!("personal/brian") && drive["name"] == json!("Brian Murphy")
    });
    ensure!(made, "no personal space: {drives}");
    Ok(())
}

fn accounts(admin: &mut Client, brian: &str) -> Result<()> {
    for (name, status) in [
        ("user1", 201),
        ("name.with.dots", 201),
        ("nameWithNumbers0123456", 201),
        ("nameWithCharacters(*:!;_+-&)", 400),
        ("name with space", 400),
        ("123456789", 400),
        ("0.0", 400),
        ("", 400),
        ("alice", 409),
    ] {
        let new = json!({ "onPremisesSamAccountName": name, "displayName": "x" });
        all(admin, &[("POST", "users".into(), new, status, "")])?;
    }
    let one = format!("users/{brian}");
    let name = |name: &str| json!({ "onPremisesSamAccountName": name });
    let shown = |name: &str| json!({ "displayName": name });
    all(
        admin,
        &[
            ("PATCH", one.clone(), name("Lionel"), 200, ""),
            ("PATCH", one.clone(), name("a*!_+-&"), 200, ""),
            ("PATCH", one.clone(), name("Alice"), 409, ""),
            ("PATCH", one.clone(), name(""), 400, "Invalid username"),
            ("PATCH", one.clone(), name("Brian"), 200, ""),
            ("PATCH", one.clone(), shown("*:!;_+-&#(?)"), 200, ""),
            ("PATCH", one.clone(), shown(""), 200, ""),
            ("PATCH", one.clone(), shown("Brian Murphy"), 200, ""),
            ("PATCH", one.clone(), json!({}), 204, ""),
            ("PATCH", "users/nonexistent".into(), name("x"), 404, ""),
            ("GET", "users/nonexistent".into(), Value::Null, 404, ""),
            ("DELETE", "users/nonexistent".into(), Value::Null, 404, ""),
            ("DELETE", "users/Alice".into(), Value::Null, 403, "self deletion forbidden"),
            ("DELETE", "users/USER1".into(), Value::Null, 204, ""),
        ],
    )
}

fn groups(admin: &mut Client, users: &str, alice: &str, brian: &str) -> Result<()> {
    let refer = |user: &str| json!({ "@odata.id": format!("{users}/{user}") });
    let bind = |ids: &[&str]| -> Value {
        let references: Vec<_> = ids.iter().map(|id| format!("{users}/{id}")).collect();
        json!({ "members@odata.bind": references })
    };
    for name in [
        "España§àôœ€",
        "नेपाली",
        "😁 😂",
        "left,right",
        "0",
        "Admin&Finance (NP)",
        "$x<=>[y*z^2+1]!",
        "admin:Pokhara@Nepal",
        "maintenance#123",
        "50%pass",
        "50%25=0",
        "50%2Fix",
        "Mgmt\\Middle",
        "staff?group",
        "Mgmt//NSW/Sydney",
        "var/../etc",
    ] {
        let new = json!({ "displayName": name });
        let group = format!("groups/{}", id(ask(admin, "POST", "groups", &new)?)?);
        let member = format!("{group}/members/{alice}/$ref");
        let by_name = format!("groups/{}", utf8_percent_encode(name, NON_ALPHANUMERIC));
        all(
            admin,
            &[
                ("POST", format!("{group}/members/$ref"), refer(alice), 204, ""),
                ("GET", by_name.clone(), Value::Null, 200, ""),
                ("DELETE", member, Value::Null, 204, ""),
                ("POST", "groups".into(), new, 409, ""),
                ("DELETE", group, Value::Null, 204, ""),
                ("GET", by_name, Value::Null, 404, ""),
            ],
        )
        .with_context(|| format!("with the group {name}"))?;
    }
    let group = id(ask(admin, "POST", "groups", &json!({ "displayName": "tea-lover" }))?)?;
    let one = format!("groups/{group}");
    let reference = format!("{one}/members/$ref");
    let group_in_group =
        json!({ "@odata.id": format!("{users}/{group}").replace("users", "groups") });
    let long = format!("{brian}1");
    all(
        admin,
        &[
            ("PATCH", one.clone(), bind(&[alice, brian]), 204, ""),
            ("PATCH", one.clone(), bind(&[alice, brian]), 204, ""),
            ("PATCH", one.clone(), bind(&[NONE, alice]), 404, ""),
            ("PATCH", format!("groups/{NONE}"), bind(&[alice]), 404, ""),
            ("PATCH", format!("groups/{NONE}"), json!({ "displayName": "x" }), 404, ""),
            ("POST", reference.clone(), refer(&long), 404, ""),
            ("POST", reference.clone(), refer("�ϰ�Ϧ-@$@^-¶Ëøœ-ɧɸɱʨΌϖЁϿ"), 404, ""),
            ("POST", reference, group_in_group, 400, "Only users are allowed as group members"),
            ("DELETE", format!("groups/{NONE}/members/{brian}/$ref"), Value::Null, 404, ""),
            ("POST", "groups".into(), json!({ "displayName": "" }), 400, "Invalid displayName"),
            ("GET", "groups/non-existing".into(), Value::Null, 404, ""),
        ],
    )?;
    let found = ask(admin, "GET", &format!("{one}?$expand=members"), &Value::Null)?.json()?;
    let members = found["members"].as_array().context("no members")?;
    ensure!(members.len() == 2, "nobody is in a group twice: {found}");
    Ok(())
}

/// What people without rights are answered.
fn others(brian: &mut Client, drive: &str, alice: &str, own: &str) -> Result<()> {
    let no_quota = "user is not allowed to set the space quota";
    let get = |path: &str, status, message| ("GET", path.to_owned(), Value::Null, status, message);
    let short = "search term too short";
    all(
        brian,
        &[
            get("users", 403, short),
            get("groups", 403, short),
            get("groups?$search=te", 403, short),
            get("groups?$expand=members", 403, short),
            get("users?$filter=userType eq 'Member'", 403, short),
            get("groups?$search=\"tea-\"", 200, ""),
            get("users?$search=\"@example\"", 200, ""),
            get("groups?$search=tea-lovers", 400, "Token '-lovers' is invalid"),
            get("users?$search=Alice@From@Wonderland", 400, "Token '@From@Wonderland' is invalid"),
            get("groups/tea-lover", 200, ""),
            get("groups/tea-lover?$expand=members", 403, "Forbidden"),
            get("groups/tea-lover/members", 403, "Forbidden"),
            get(&format!("users/{alice}"), 200, ""),
            get(&format!("users/{alice}?$expand=memberOf"), 403, "Forbidden"),
            get(&format!("users/{alice}/drive"), 404, "no drive returned from storage"),
            get(&format!("users/{alice}/appRoleAssignments"), 403, "Forbidden"),
            get("me?$expand=drive,memberOf", 200, ""),
            ("PATCH", format!("drives/{drive}"), json!({ "quota": { "total": 1 } }), 403, no_quota),
            ("PATCH", format!("drives/{drive}"), json!({ "name": "x" }), 404, "drive not found"),
            ("POST", "users".into(), account("x", "x"), 403, "Forbidden"),
            ("POST", "groups".into(), json!({ "displayName": "x" }), 403, "Forbidden"),
            ("PATCH", format!("users/{own}"), json!({ "displayName": "x" }), 403, "Forbidden"),
            ("PATCH", "users/nonexistent".into(), json!({ "displayName": "x" }), 403, ""),
            ("DELETE", format!("users/{own}"), Value::Null, 403, "Forbidden"),
            ("DELETE", "users/nonexistent".into(), Value::Null, 403, "Forbidden"),
            ("PATCH", "me".into(), json!({ "passwordProfile": { "password": "x" } }), 400, ""),
        ],
    )
}
