//! The ports that the endpoints stand on, in memory: one state behind all of them, with the rules of
//! the domain that the endpoints rely on.

use std::sync::Arc;

use async_trait::async_trait;
use ocis_core::access::{Grant, Grantee, SpaceRight, has_right};
use ocis_core::event::Event;
use ocis_core::id::{GroupId, ResourceId, SpaceId, StorageId, UserId};
use ocis_core::permissions::Permissions;
use ocis_core::port::*;
use ocis_core::quota::Quota;
use ocis_core::role::RolePermission;
use ocis_core::setting::{Bundle, SettingValue};
use ocis_core::space::{Space, SpaceKind};
use ocis_core::time::Timestamp;
use ocis_core::user::{ExternalIdentity, Group, User, UserRole, UserType};
use ocis_core::{Caller, Cx, Error, Identity, Result};
use parking_lot::Mutex;

pub(super) const STORAGE: &str = "50020e69-da51-4707-966d-ba8adeeb10d4";
pub(super) const ADMIN: &str = "9181deb3-c90b-4ea4-b1f0-aab7043e920e";
pub(super) const RICHARD: &str = "932b4540-8d16-481e-8ef4-588e4b6b151c";
pub(super) const MARIE: &str = "f7fbf8c8-139b-4376-b307-cf0a8c2d0d9c";
pub(super) const PHYSICS: &str = "bf52c3ee-480f-4b28-ab05-ff036cf3ac5d";
pub(super) const DISABLED: &str = "98d2c8c7-e390-48d0-a076-a76c5deaa4b3";
pub(super) const USERS: &str = "509a9dcd-bb37-4f4f-a01a-19dca27d9cfa";
pub(super) const QUANTUM: &str = "a1726108-01f8-4c30-88df-2b1a9d1cba1a";

/// What is behind the ports.
#[derive(Default)]
pub(super) struct State {
    pub(super) users: Vec<User>,
    pub(super) passwords: Vec<(UserId, String)>,
    pub(super) groups: Vec<Group>,
    pub(super) roles: Vec<RoleAssignment>,
    pub(super) spaces: Vec<Space>,
    pub(super) grants: Vec<(ResourceId, Grant)>,
    pub(super) settings: Vec<SettingValue>,
    pub(super) events: Vec<Event>,
    /// Whether nobody can make a personal space.
    pub(super) no_spaces: bool,
    /// What the next change of an account is refused with.
    pub(super) read_only: bool,
}

/// All ports over one state.
#[derive(Clone, Default)]
pub(super) struct Fake(pub(super) Arc<Mutex<State>>);

pub(super) fn now() -> Timestamp {
    "2026-11-23T02:51:00.5Z".parse().unwrap()
}

pub(super) fn user_id(id: &str) -> UserId {
    UserId::parse(id).unwrap()
}

fn group_id(id: &str) -> GroupId {
    GroupId::parse(id).unwrap()
}

fn user(id: &str, username: &str, names: [&str; 3]) -> User {
    User {
        id: user_id(id),
        username: username.into(),
        display_name: names[0].into(),
        given_name: names[1].into(),
        surname: names[2].into(),
        mail: format!("{username}@example.org"),
        groups: Vec::new(),
        enabled: true,
        user_type: UserType::Member,
        identities: vec![ExternalIdentity {
            issuer: "https://localhost:9200".into(),
            id: id.into(),
        }],
        password_version: String::new(),
    }
}

fn space(kind: SpaceKind, id: &str, name: &str) -> Space {
    Space {
        root: ResourceId::root(StorageId::parse(STORAGE).unwrap(), SpaceId::parse(id).unwrap()),
        kind,
        name: name.into(),
        alias: format!("{}/{}", kind.as_str(), name.to_lowercase().replace(' ', "-")),
        description: String::new(),
        owner: None,
        quota: Quota { total: None, used: 0, remaining: None },
        etag: ocis_core::etag::Etag::new("2399c543429ead1ec855abf3ce8ffd77"),
        mtime: "2026-11-23T02:49:27.33388806Z".parse().unwrap(),
        permissions: Permissions::MANAGER,
        image: None,
        readme: None,
        disabled: None,
    }
}

impl Fake {
    /// What a server of oCIS with demo users would have of it.
    pub(super) fn demo() -> Self {
        let groups = [
            (USERS, "users", vec![ADMIN, RICHARD, MARIE]),
            (QUANTUM, "quantum-lovers", vec![RICHARD]),
        ];
        let fake = Self::default();
        let mut state = fake.0.lock();
        state.users = vec![
            user(ADMIN, "admin", ["Admin", "Admin", "Admin"]),
            user(MARIE, "marie", ["Marie Skłodowska Curie", "Marie", "Curie"]),
            user(RICHARD, "richard", ["Richard Phillips Feynman", "Richard", "Feynman"]),
        ];
        state.groups = groups
            .into_iter()
            .map(|(id, name, members)| Group {
                id: group_id(id),
                name: name.into(),
                members: members.into_iter().map(user_id).collect(),
            })
            .collect();
        state.roles = state
            .users
            .iter()
            .map(|user| RoleAssignment {
                id: format!("assignment-{}", user.username),
                user: user.id.clone(),
                role: role(&user.id),
            })
            .collect();
        state.passwords = vec![(user_id(RICHARD), "superfluidity".into())];
        state.spaces = spaces();
        let physics = state.spaces[0].root.clone();
        let given = |grantee, letters| Grant {
            grantee,
            permissions: Permissions::from_letters(letters),
            expires: None,
            creator: None,
        };
        state.grants = [
            given(Grantee::User(user_id(ADMIN)), "txrwadCcoOuUPvVq"),
            given(Grantee::User(user_id(RICHARD)), "txrcuq"),
            given(Grantee::User(user_id(MARIE)), "txrwadcuUvVq"),
            given(Grantee::Group(group_id(QUANTUM)), "txr"),
            given(Grantee::User(user_id("gone")), "txrcuq"),
        ]
        .map(|grant| (physics.clone(), grant))
        .into();
        drop(state);
        fake
    }

    /// Somebody who signed in.
    pub(super) fn caller(&self, id: &str) -> Caller {
        let user = self.user(&user_id(id)).unwrap();
        Caller::User(Arc::new(identity(user)))
    }

    fn user(&self, id: &UserId) -> Result<User> {
        let state = self.0.lock();
        let found = state.users.iter().find(|user| user.id == *id);
        let mut user = found.cloned().ok_or_else(|| Error::not_found("there is no such user"))?;
        user.groups = state
            .groups
            .iter()
            .filter(|group| group.members.contains(id))
            .map(|group| group.id.clone())
            .collect();
        Ok(user)
    }

    fn may_write(&self, cx: &Cx) -> Result<()> {
        cx.caller.require(&RolePermission::ACCOUNTS_READ_WRITE)?;
        match self.0.lock().read_only {
            true => Err(Error::denied("the directory is read only")),
            false => Ok(()),
        }
    }

    fn change_group(
        &self,
        id: &GroupId,
        change: impl FnOnce(&mut Group) -> Result<()>,
    ) -> Result<Group> {
        let mut state = self.0.lock();
        let found = state.groups.iter_mut().find(|group| group.id == *id);
        let group = found.ok_or_else(|| Error::not_found("there is no such group"))?;
        change(group)?;
        Ok(group.clone())
    }
}

fn role(user: &UserId) -> UserRole {
    match user.as_str() {
        ADMIN => UserRole::Admin,
        _ => UserRole::User,
    }
}

fn identity(user: User) -> Identity {
    let role = role(&user.id);
    Identity {
        id: user.id,
        idp: "https://localhost:9200".into(),
        username: user.username,
        display_name: user.display_name,
        mail: user.mail,
        groups: user.groups,
        role,
        scope: ocis_core::scope::Scope::Everything,
    }
}

fn spaces() -> Vec<Space> {
    let mut physics = space(SpaceKind::Project, PHYSICS, "Physics");
    physics.description = "All of it".into();
    physics.quota =
        Quota { total: Some(1_073_741_824), used: 127_552, remaining: Some(1_073_614_272) };
    physics.etag = ocis_core::etag::Etag::new("564cf2ba90863f73651296b011f0791e");
    physics.mtime = "2026-11-23T02:49:24.204450319Z".parse().unwrap();
    let mut personal = space(SpaceKind::Personal, RICHARD, "Richard Phillips Feynman");
    personal.alias = "personal/richard".into();
    personal.owner = Some(user_id(RICHARD));
    personal.quota.used = 3572;
    let mut disabled = space(SpaceKind::Project, DISABLED, "disabled one");
    disabled.quota.total = Some(1_000_000_000);
    disabled.disabled = Some(now());
    disabled.etag = ocis_core::etag::Etag::new("a481837af512619887b39a0673a94a41");
    disabled.mtime = "2026-11-23T02:49:25.023194587Z".parse().unwrap();
    vec![physics, personal, disabled, space(SpaceKind::Metadata, "records", "Metadata")]
}

#[async_trait]
impl Spaces for Fake {
    /// Gives one space a page, and empty pages between.
    async fn list(&self, cx: &Cx, request: ListSpaces) -> Result<Page<Space>> {
        cx.caller.identity()?;
        let at: usize = request.page.cursor.map_or(0, |Cursor(text)| text.parse().unwrap());
        let state = self.0.lock();
        let member = request.member.and_then(|member| match member {
            Grantee::User(user) => Some(user),
            Grantee::Group(_) => None,
        });
        let items = state.spaces.get(at..=at).unwrap_or_default().iter();
        let items = items
            .filter(|it| request.kind.is_none_or(|kind| kind == it.kind))
            .filter(|it| request.owner.is_none() || request.owner == it.owner)
            .filter(|it| member.is_none() || it.owner.is_none() || member == it.owner)
            .cloned()
            .collect();
        let next = (at < state.spaces.len()).then(|| Cursor((at + 1).to_string()));
        Ok(Page { items, next })
    }

    async fn get(&self, _: &Cx, request: GetSpace) -> Result<Space> {
        let state = self.0.lock();
        let found = state.spaces.iter().find(|it| it.root.space == request.space.space);
        found.cloned().ok_or_else(|| Error::not_found("no such space"))
    }

    async fn create(&self, cx: &Cx, request: CreateSpace) -> Result<Space> {
        let own = request.owner.as_ref() == cx.caller.identity().ok().map(|caller| &caller.id);
        let may = match request.kind {
            SpaceKind::Personal => own && !self.0.lock().no_spaces,
            _ => has_right(&cx.caller, SpaceRight::Create),
        };
        if !may {
            return Err(Error::denied("you may not make spaces"));
        }
        let id = request.owner.as_ref().map_or("11111111-new-space", |owner| owner.as_str());
        let mut made = space(request.kind, id, &request.name);
        made.owner = request.owner.clone();
        made.description = request.description;
        made.alias = request.alias.unwrap_or(made.alias);
        made.quota.total = request.quota;
        self.0.lock().spaces.push(made.clone());
        Ok(made)
    }

    async fn update(&self, cx: &Cx, request: UpdateSpace) -> Result<Space> {
        let mut space = Spaces::get(self, cx, GetSpace { space: request.space }).await?;
        space.name = request.name.unwrap_or(space.name);
        space.alias = request.alias.unwrap_or(space.alias);
        space.description = request.description.unwrap_or(space.description);
        space.quota.total = request.quota.or(space.quota.total);
        space.image = request.image.or(space.image);
        space.readme = request.readme.or(space.readme);
        let mut state = self.0.lock();
        let place = state.spaces.iter_mut().find(|it| it.root == space.root).unwrap();
        *place = space.clone();
        Ok(space)
    }

    async fn disable(&self, cx: &Cx, request: DisableSpace) -> Result<()> {
        if !has_right(&cx.caller, SpaceRight::DeletePersonal) {
            return Err(Error::denied("you may not"));
        }
        let mut state = self.0.lock();
        let found = state.spaces.iter_mut().find(|it| it.root == request.space);
        found.ok_or_else(|| Error::not_found("no such space"))?.disabled = Some(cx.now);
        Ok(())
    }

    async fn restore(&self, _: &Cx, request: RestoreSpace) -> Result<Space> {
        let mut state = self.0.lock();
        let found = state.spaces.iter_mut().find(|it| it.root == request.space);
        let space = found.ok_or_else(|| Error::not_found("no such space"))?;
        space.disabled = None;
        Ok(space.clone())
    }

    async fn purge(&self, _: &Cx, request: PurgeSpace) -> Result<()> {
        let mut state = self.0.lock();
        let found = state.spaces.iter().position(|it| it.root == request.space);
        let at = found.ok_or_else(|| Error::not_found("no such space"))?;
        if state.spaces[at].disabled.is_none() {
            return Err(Error::invalid("a space that is in use cannot be purged"));
        }
        state.spaces.remove(at);
        Ok(())
    }
}

#[async_trait]
impl Grants for Fake {
    async fn list(&self, _: &Cx, request: ListGrants) -> Result<Vec<Grant>> {
        let state = self.0.lock();
        let here = state.grants.iter().filter(|(root, _)| *root == request.target.base);
        Ok(here.map(|(_, grant)| grant.clone()).collect())
    }

    async fn set(&self, _: &Cx, _: SetGrant) -> Result<()> {
        Err(Error::unimplemented("not in this fake"))
    }

    async fn remove(&self, _: &Cx, _: RemoveGrant) -> Result<()> {
        Err(Error::unimplemented("not in this fake"))
    }
}

#[async_trait]
impl Users for Fake {
    async fn find(&self, cx: &Cx, request: FindUser) -> Result<User> {
        let id = match request {
            FindUser::Id(id) if id.as_str() == "broken" => {
                return Err(Error::internal("the disk is on fire"));
            }
            FindUser::Id(id) => id,
            FindUser::Username(name) | FindUser::Mail(name) => {
                let page = Users::list(self, cx, ListUsers::default()).await?;
                let mut found =
                    page.items.into_iter().filter(|user| user.username.eq_ignore_ascii_case(&name));
                return found.next().ok_or_else(|| Error::not_found("there is no such user"));
            }
        };
        self.user(&id)
    }

    async fn list(&self, cx: &Cx, request: ListUsers) -> Result<Page<User>> {
        cx.caller.identity()?;
        let search = request.search.unwrap_or_default().to_lowercase();
        let ids: Vec<UserId> = self.0.lock().users.iter().map(|user| user.id.clone()).collect();
        let users: Result<Vec<User>> = ids.iter().map(|id| self.user(id)).collect();
        let found = |user: &User| {
            [&user.username, &user.display_name, &user.mail]
                .iter()
                .any(|text| text.to_lowercase().contains(&search))
        };
        Ok(Page { items: users?.into_iter().filter(found).collect(), next: None })
    }
}

#[async_trait]
impl Groups for Fake {
    async fn get(&self, _: &Cx, request: GetGroup) -> Result<Group> {
        let state = self.0.lock();
        let found = state.groups.iter().find(|group| match &request {
            GetGroup::Id(id) => group.id == *id,
            GetGroup::Name(name) => group.name == *name,
        });
        found.cloned().ok_or_else(|| Error::not_found("there is no such group"))
    }

    async fn list(&self, _: &Cx, request: ListGroups) -> Result<Page<Group>> {
        let search = request.search.unwrap_or_default();
        let groups = self.0.lock().groups.clone();
        let found = |group: &Group| group.name.contains(&search);
        Ok(Page { items: groups.into_iter().filter(found).collect(), next: None })
    }
}

#[async_trait]
impl Provisioning for Fake {
    async fn create_user(&self, cx: &Cx, new: NewUser) -> Result<User> {
        self.may_write(cx)?;
        let mut state = self.0.lock();
        if state.users.iter().any(|user| user.username == new.username) {
            return Err(Error::exists("there is a user with this name"));
        }
        let user = User {
            id: user_id("22222222-new-user"),
            username: new.username,
            display_name: new.display_name,
            given_name: new.given_name,
            surname: new.surname,
            mail: new.mail,
            groups: Vec::new(),
            enabled: new.enabled,
            user_type: new.user_type,
            identities: new.identities,
            password_version: String::new(),
        };
        if let Some(password) = new.password {
            state.passwords.push((user.id.clone(), password.expose().into()));
        }
        state.users.push(user.clone());
        Ok(user)
    }

    async fn change_user(&self, cx: &Cx, request: ChangeUser) -> Result<User> {
        let own = cx.caller.identity()?.id == request.user;
        let rest = UserChange { password: None, ..request.change.clone() };
        if !own || !rest.is_empty() {
            self.may_write(cx)?;
        }
        let mut state = self.0.lock();
        let change = request.change;
        if let Some(password) = change.password {
            state.passwords.retain(|(user, _)| *user != request.user);
            state.passwords.push((request.user.clone(), password.expose().into()));
        }
        let found = state.users.iter_mut().find(|user| user.id == request.user);
        let user = found.ok_or_else(|| Error::not_found("there is no such user"))?;
        user.username = change.username.unwrap_or_else(|| user.username.clone());
        user.display_name = change.display_name.unwrap_or_else(|| user.display_name.clone());
        user.surname = change.surname.unwrap_or_else(|| user.surname.clone());
        user.mail = change.mail.unwrap_or_else(|| user.mail.clone());
        user.enabled = change.enabled.unwrap_or(user.enabled);
        user.user_type = change.user_type.unwrap_or(user.user_type);
        Ok(user.clone())
    }

    async fn delete_user(&self, cx: &Cx, user: UserId) -> Result<()> {
        self.may_write(cx)?;
        let mut state = self.0.lock();
        state.users.retain(|found| found.id != user);
        for group in &mut state.groups {
            group.members.retain(|member| *member != user);
        }
        Ok(())
    }

    async fn create_group(&self, cx: &Cx, new: NewGroup) -> Result<Group> {
        self.may_write(cx)?;
        let group =
            Group { id: group_id("33333333-new-group"), name: new.name, members: new.members };
        let mut state = self.0.lock();
        if state.groups.iter().any(|found| found.name == group.name) {
            return Err(Error::exists("there is a group with this name"));
        }
        state.groups.push(group.clone());
        Ok(group)
    }

    async fn rename_group(&self, cx: &Cx, request: RenameGroup) -> Result<Group> {
        self.may_write(cx)?;
        self.change_group(&request.group, |group| {
            group.name = request.name;
            Ok(())
        })
    }

    async fn delete_group(&self, cx: &Cx, id: GroupId) -> Result<()> {
        self.may_write(cx)?;
        self.0.lock().groups.retain(|group| group.id != id);
        Ok(())
    }

    async fn add_members(&self, cx: &Cx, request: ChangeMembers) -> Result<Group> {
        self.may_write(cx)?;
        self.change_group(&request.group, |group| {
            group.members.extend(request.members);
            Ok(())
        })
    }

    async fn remove_members(&self, cx: &Cx, request: ChangeMembers) -> Result<Group> {
        self.may_write(cx)?;
        self.change_group(&request.group, |group| {
            if request.members.iter().any(|member| !group.members.contains(member)) {
                return Err(Error::not_found("a user is no member of the group"));
            }
            group.members.retain(|member| !request.members.contains(member));
            Ok(())
        })
    }
}

#[async_trait]
impl Roles for Fake {
    async fn assigned(&self, cx: &Cx, user: UserId) -> Result<Option<RoleAssignment>> {
        if cx.caller.identity()?.id != user {
            cx.caller.require(&RolePermission::ROLES_READ_WRITE)?;
        }
        Ok(self.0.lock().roles.iter().find(|held| held.user == user).cloned())
    }

    async fn holders(&self, cx: &Cx, role: UserRole) -> Result<Vec<RoleAssignment>> {
        cx.caller.require(&RolePermission::ROLES_READ_WRITE)?;
        Ok(self.0.lock().roles.iter().filter(|held| held.role == role).cloned().collect())
    }

    async fn assign(&self, cx: &Cx, request: AssignRole) -> Result<RoleAssignment> {
        cx.caller.require(&RolePermission::ROLES_READ_WRITE)?;
        if cx.caller.identity()?.id == request.user {
            return Err(Error::denied("nobody changes the own role"));
        }
        let assignment =
            RoleAssignment { id: "44444444-new".into(), user: request.user, role: request.role };
        let mut state = self.0.lock();
        state.roles.retain(|held| held.user != assignment.user);
        state.roles.push(assignment.clone());
        Ok(assignment)
    }

    async fn ensure(&self, _: &Cx, _: AssignRole) -> Result<RoleAssignment> {
        Err(Error::unimplemented("not in this fake"))
    }

    async fn unassign(&self, cx: &Cx, request: UnassignRole) -> Result<()> {
        cx.caller.require(&RolePermission::ROLES_READ_WRITE)?;
        let mut state = self.0.lock();
        let before = state.roles.len();
        state.roles.retain(|held| held.id != request.assignment || held.user != request.user);
        match state.roles.len() < before {
            true => Ok(()),
            false => Err(Error::not_found("no such assignment")),
        }
    }
}

#[async_trait]
impl Settings for Fake {
    async fn values(&self, _: &Cx, _: ListValues) -> Result<Vec<SettingValue>> {
        Err(Error::unimplemented("not in this fake"))
    }

    async fn find(&self, _: &Cx, request: FindValue) -> Result<Option<SettingValue>> {
        let state = self.0.lock();
        let mut values = state.settings.iter().filter(|value| {
            value.account_uuid == request.account.as_str() && value.setting_id == request.setting
        });
        Ok(values.next_back().cloned())
    }

    async fn value(&self, _: &Cx, _: String) -> Result<SettingValue> {
        Err(Error::unimplemented("not in this fake"))
    }

    async fn save(&self, _: &Cx, value: SettingValue) -> Result<SettingValue> {
        if value.text() == Some("klingon") {
            return Err(Error::invalid("the setting cannot have this value"));
        }
        self.0.lock().settings.push(value.clone());
        Ok(value)
    }

    async fn forget(&self, _: &Cx, account: UserId) -> Result<()> {
        self.0.lock().settings.retain(|value| value.account_uuid != account.as_str());
        Ok(())
    }

    async fn bundles(&self, _: &Cx, (): ()) -> Result<Vec<Bundle>> {
        Ok(Vec::new())
    }

    async fn save_bundle(&self, _: &Cx, _: Bundle) -> Result<Bundle> {
        Err(Error::unimplemented("not in this fake"))
    }
}

#[async_trait]
impl Authenticate for Fake {
    async fn authenticate(&self, _: &Cx, credentials: Credentials) -> Result<Arc<Identity>> {
        let Credentials::Basic { username, password, .. } = credentials else {
            return Err(Error::unauthenticated("no such credentials"));
        };
        let state = self.0.lock();
        let user = state.users.iter().find(|user| user.username == username);
        let user = user.filter(|user| state.passwords.contains(&(user.id.clone(), password)));
        user.map(|user| Arc::new(identity(user.clone())))
            .ok_or_else(|| Error::unauthenticated("wrong name or password"))
    }
}

#[async_trait]
impl EventBus for Fake {
    async fn publish(&self, _: &Cx, events: Vec<Event>) -> Result<()> {
        self.0.lock().events.extend(events);
        Ok(())
    }

    async fn fetch(&self, _: &Cx, _: Fetch) -> Result<Vec<Delivery>> {
        Ok(Vec::new())
    }

    async fn acknowledge(&self, _: &Cx, _: Acknowledge) -> Result<()> {
        Ok(())
    }

    async fn reject(&self, _: &Cx, _: Reject) -> Result<()> {
        Ok(())
    }

    async fn leave(&self, _: &Cx, _: Leave) -> Result<()> {
        Ok(())
    }
}
