//! Accounts, groups and project spaces over Graph, from their making to their removal, with what
//! they mean for everything else: who can sign in, and which files are there.

use anyhow::{Context, Result, ensure};
use ocis_conformance::harness::{Client, Plan, Reply, World};
use serde_json::{Value, json};

const GRAPH: &str = "/graph/v1.0";
const JSON: [(&str, &str); 1] = [("Content-Type", "application/json")];

pub(crate) fn register(plan: &mut Plan) {
    plan.add("graph-accounts", accounts);
    plan.add("graph-groups", groups);
    plan.add("graph-drives", drives);
    plan.add("graph-demo-users", demo_users);
}

fn send(client: &mut Client, method: &str, path: &str, body: &Value) -> Result<Reply> {
    client.send(method, &format!("{GRAPH}/{path}"), &JSON, body.to_string().as_bytes())
}

fn read(client: &mut Client, path: &str) -> Result<Value> {
    client.get(&format!("{GRAPH}/{path}"))?.expect(&[200])?.json()
}

fn text<'a>(value: &'a Value, field: &str) -> Result<&'a str> {
    value[field].as_str().with_context(|| format!("no {field} in {value}"))
}

/// The names of what is in a list.
fn names(list: &Value, field: &str) -> Vec<String> {
    let items = list["value"].as_array().into_iter().flatten();
    items.filter_map(|item| item[field].as_str()).map(str::to_owned).collect()
}

fn lise(password: &str) -> Value {
    json!({
        "displayName": "Lise Meitner",
        "mail": "lise@example.org",
        "onPremisesSamAccountName": "lise",
        "passwordProfile": { "password": password },
    })
}

fn accounts(world: &World) -> Result<()> {
    let mut server = world.launch()?.start()?;
    let mut admin = server.admin();
    let made = send(&mut admin, "POST", "users", &lise("fission-1938"))?.expect(&[201])?.json()?;
    let id = text(&made, "id")?.to_owned();
    send(&mut admin, "POST", "users", &lise("other"))?.expect(&[409])?;

    let mut user = server.user("lise", "fission-1938");
    user.put("/dav/files/lise/uranium.txt", b"split")?.expect(&[201])?;
    let drive = read(&mut user, "me/drive")?;
    ensure!(text(&drive, "driveAlias")? == "personal/lise", "{drive}");
    let space = text(&drive, "id")?.to_owned();
    let files = format!("/dav/spaces/{space}/uranium.txt");
    ensure!(user.get(&files)?.expect(&[200])?.body == b"split");
    send(&mut user, "PATCH", "me", &json!({ "displayName": "L" }))?.expect(&[400])?;
    send(&mut user, "DELETE", &format!("users/{id}"), &Value::Null)?.expect(&[403])?;
    user.get(&format!("{GRAPH}/users"))?.expect(&[403])?;

    let change = json!({ "currentPassword": "wrong", "newPassword": "barium" });
    send(&mut user, "POST", "me/changePassword", &change)?.expect(&[400])?;
    let change = json!({ "currentPassword": "fission-1938", "newPassword": "barium" });
    send(&mut user, "POST", "me/changePassword", &change)?.expect(&[204])?;
    server.user("lise", "fission-1938").get(&files)?.expect(&[401])?;
    let mut user = server.user("lise", "barium");
    user.get(&files)?.expect(&[200])?;

    let off = json!({ "accountEnabled": false });
    send(&mut admin, "PATCH", "users/lise", &off)?.expect(&[200])?;
    user.get(&files)?.expect(&[401])?;
    let on = json!({ "accountEnabled": true, "displayName": "Lise" });
    send(&mut admin, "PATCH", "users/lise", &on)?.expect(&[200])?;
    user.get(&files)?.expect(&[200])?;
    let list = read(&mut admin, "users?$search=lise&$orderby=displayName")?;
    ensure!(names(&list, "displayName") == ["Lise"], "{list}");

    let personal = "drives?$filter=driveType%20eq%20'personal'";
    ensure!(names(&read(&mut admin, personal)?, "id").contains(&space), "the drive is not listed");
    let me = text(&read(&mut admin, "me")?, "id")?.to_owned();
    send(&mut admin, "DELETE", &format!("users/{me}"), &Value::Null)?.expect(&[403])?;
    send(&mut admin, "DELETE", &format!("users/{id}"), &Value::Null)?.expect(&[204])?;
    user.get(&files)?.expect(&[401])?;
    admin.get(&format!("{GRAPH}/users/{id}"))?.expect(&[404])?;
    ensure!(
        !names(&read(&mut admin, personal)?, "id").contains(&space),
        "the drive is still there"
    );
    admin.get(&format!("{GRAPH}/drives/{space}"))?.expect(&[404])?;
    server.kill()?;
    server.restart()?;
    server.admin().get(&format!("{GRAPH}/users/{id}"))?.expect(&[404])?;
    Ok(())
}

fn groups(world: &World) -> Result<()> {
    let server = world.launch()?.start()?;
    let mut admin = server.admin();
    let user = send(&mut admin, "POST", "users", &lise("x-ray-1"))?.expect(&[201])?.json()?;
    let user = text(&user, "id")?.to_owned();
    let made = json!({ "displayName": "España § नेपाली" });
    let group = send(&mut admin, "POST", "groups", &made)?.expect(&[201])?.json()?;
    let group = format!("groups/{}", text(&group, "id")?);
    send(&mut admin, "POST", "groups", &made)?.expect(&[409])?;
    let reference = json!({ "@odata.id": format!("{}{GRAPH}/users/{user}", server.url()) });
    send(&mut admin, "POST", &format!("{group}/members/$ref"), &reference)?.expect(&[204])?;
    let members = read(&mut admin, &format!("{group}/members"))?;
    ensure!(members[0]["id"] == json!(user), "{members}");
    let mut lise = server.user("lise", "x-ray-1");
    let me = read(&mut lise, "me?$expand=memberOf")?;
    ensure!(me["memberOf"][0]["displayName"] == made["displayName"], "{me}");
    send(&mut admin, "PATCH", &group, &json!({ "displayName": "physicists" }))?.expect(&[204])?;
    let found = read(&mut admin, "groups?$search=physic&$expand=members")?;
    ensure!(found["value"][0]["members"][0]["displayName"] == json!("Lise Meitner"), "{found}");
    let member = format!("{group}/members/{user}/$ref");
    send(&mut admin, "DELETE", &member, &Value::Null)?.expect(&[204])?;
    send(&mut admin, "DELETE", &member, &Value::Null)?.expect(&[404])?;
    let me = read(&mut lise, "me?$expand=memberOf")?;
    ensure!(me["memberOf"] == json!([]), "{me}");
    send(&mut admin, "DELETE", &group, &Value::Null)?.expect(&[204])?;
    admin.get(&format!("{GRAPH}/{group}"))?.expect(&[404])?;
    Ok(())
}

fn drives(world: &World) -> Result<()> {
    let server = world.launch()?.start()?;
    let mut admin = server.admin();
    send(&mut admin, "POST", "users", &lise("x-ray-1"))?.expect(&[201])?;
    let mut lise = server.user("lise", "x-ray-1");
    let wish = json!({ "name": "Physics", "description": "All of it", "quota": { "total": 5000 } });
    send(&mut lise, "POST", "drives", &wish)?.expect(&[403])?;
    let made =
        send(&mut admin, "POST", "drives?template=default", &wish)?.expect(&[201])?.json()?;
    let id = text(&made, "id")?.to_owned();
    ensure!(made["root"]["permissions"][0]["roles"] == json!(["manager"]), "{made}");
    ensure!(made["special"][1]["specialFolder"]["name"] == json!("readme"), "{made}");
    let image = text(&made["special"][0], "webDavUrl")?.replace(&server.url(), "");
    ensure!(admin.get(&image)?.expect(&[200])?.body.starts_with(b"\x89PNG"), "no picture");
    let file = format!("/dav/spaces/{id}/a.txt");
    admin.put(&file, b"a")?.expect(&[201])?;
    lise.get(&file)?.expect(&[404])?;
    lise.get(&format!("{GRAPH}/drives/{id}"))?.expect(&[404])?;
    let drive = format!("drives/{id}");
    send(&mut lise, "PATCH", &drive, &json!({ "name": "x" }))?.expect(&[404])?;
    let change = json!({ "name": "Chemistry", "quota": { "total": 0 } });
    let changed = send(&mut admin, "PATCH", &drive, &change)?.expect(&[200])?.json()?;
    ensure!(
        text(&changed, "name")? == "Chemistry" && text(&changed, "description")? == "All of it"
    );
    let purge = [("Purge", "T")];
    let path = format!("{GRAPH}/{drive}");
    admin.send("DELETE", &path, &purge, b"")?.expect(&[400])?;
    admin.send("DELETE", &path, &[], b"")?.expect(&[204])?;
    admin.get(&file)?.expect(&[404])?;
    let disabled = read(&mut admin, &drive)?;
    ensure!(disabled["root"]["deleted"]["state"] == json!("trashed"), "{disabled}");
    ensure!(disabled["root"]["permissions"][0]["roles"] == json!(["manager"]), "{disabled}");
    admin.send("PATCH", &path, &[("Restore", "T")], b"{}")?.expect(&[200])?;
    ensure!(admin.get(&file)?.expect(&[200])?.body == b"a");
    admin.send("DELETE", &path, &[], b"")?.expect(&[204])?;
    admin.send("DELETE", &path, &purge, b"")?.expect(&[204])?;
    admin.get(&path)?.expect(&[404])?;
    Ok(())
}

/// The demo users with their groups, as oCIS lists them.
fn demo_users(world: &World) -> Result<()> {
    let server = world.launch()?.demo_users().start()?;
    let mut admin = server.admin();
    let list = read(&mut admin, "users?$expand=memberOf&$orderby=onPremisesSamAccountName")?;
    let expected = ["admin", "einstein", "katherine", "marie", "moss", "richard"];
    ensure!(names(&list, "onPremisesSamAccountName") == expected, "{list}");
    let einstein = &list["value"][1];
    ensure!(einstein["id"] == json!("4c510ada-c86b-4815-8820-42cdf82c3d51"), "{einstein}");
    ensure!(einstein["accountEnabled"] == json!(true) && einstein["userType"] == json!("Member"));
    let mut groups: Vec<&str> = einstein["memberOf"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|group| group["displayName"].as_str())
        .collect();
    groups.sort_unstable();
    ensure!(groups == ["physics-lovers", "sailing-lovers", "users", "violin-haters"], "{einstein}");
    let physics = "262982c1-2362-4afa-bfdf-8cbfef64a06e";
    let filter = format!("users?$filter=memberOf/any(m:m/id%20eq%20'{physics}')");
    let list = read(&mut admin, &format!("{filter}&$orderby=displayName"))?;
    ensure!(names(&list, "onPremisesSamAccountName") == ["einstein", "marie", "richard"], "{list}");
    Ok(())
}
