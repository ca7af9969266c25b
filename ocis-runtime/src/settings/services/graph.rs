//! Settings of graph.

use ocis_auth::ldap::{Changes, LdapOptions};
use ocis_core::config::{ByteSize, Secret, WebUrl};
use ocis_core::settings;

use crate::settings::ldap::{LdapDisable, LdapScope, LdapUris, directory};

settings! {
    /// LibreGraph: accounts, groups, roles and drives.
    pub struct Graph("graph", key "graph", prefix "GRAPH", debug "127.0.0.1:9124") {
        /// Signs the tokens that carry the caller inside the server.
        jwt_secret: Secret = "",
            "token_manager.jwt_secret", ["OCIS_JWT_SECRET", "GRAPH_JWT_SECRET"], required;
        /// Id of the application whose roles users have.
        application_id: String = "", "application.id", ["GRAPH_APPLICATION_ID"], required;
        /// Name of that application.
        application_display_name: String = "ownCloud Infinite Scale",
            "application.displayname", ["GRAPH_APPLICATION_DISPLAYNAME"];
        /// Which names accounts may get: "default" for what can stand before the @ of a mail
        /// address and does not begin with a digit, "none" for any.
        username_match: String = "default", "api.graph_username_match", ["GRAPH_USERNAME_MATCH"];
        /// Whether new accounts get the role "User".
        assign_default_user_role: bool = "true",
            "api.graph_assign_default_user_role", ["GRAPH_ASSIGN_DEFAULT_USER_ROLE"];
        /// The ids of the roles that can be given in spaces and to what is shared.
        available_roles: Vec<String> = "b1e2218d-eef8-4d4c-b82d-0f1a1b48f3b5,a8d5fe5e-96e3-418d-825b-534dbdf22b99,fb6c3e19-e378-47e5-b277-9732f9de6e21,58c63c02-1d89-4572-916a-870abc5a1b7d,2d00ce52-1fc2-4dbc-8b95-a73b73395f5a,1c996275-f1c9-4e71-abdf-a42f6495e960,312c0871-5ef7-4b3a-85b6-0e4074c64049",
            "unified_roles.available_roles", ["GRAPH_AVAILABLE_ROLES"];
        /// How many characters a search must have of who does not manage accounts.
        identity_search_min_length: usize = "3",
            "api.graph_identity_search_min_length", ["GRAPH_IDENTITY_SEARCH_MIN_LENGTH"];
        /// Whether everybody sees everybody's mail address.
        show_email_in_results: bool = "false",
            "api.show_email_in_results", ["OCIS_SHOW_USER_EMAIL_IN_RESULTS"];
        /// How many members can be added to a group at once.
        group_members_patch_limit: usize = "20",
            "api.group_members_patch_limit", ["GRAPH_GROUP_MEMBERS_PATCH_LIMIT"];
        /// Base of the WebDAV URLs of drives.
        webdav_base: WebUrl = "https://localhost:9200",
            "spaces.webdav_base", ["OCIS_URL", "GRAPH_SPACES_WEBDAV_BASE"];
        /// Path below that base with which the WebDAV URLs of drives go on.
        webdav_path: String = "/dav/spaces/", "spaces.webdav_path", ["GRAPH_SPACES_WEBDAV_PATH"];
        /// Bytes that a new project space may hold where nothing else is asked for; 0 for without
        /// limit.
        default_quota: ByteSize = "1000000000",
            "spaces.default_quota", ["GRAPH_SPACES_DEFAULT_QUOTA"];
        /// Language that clients are told to prefer.
        default_language: String = "", "spaces.default_language", ["OCIS_DEFAULT_LANGUAGE"];
        /// Password with which the service asks the directory.
        bind_password: Secret = "",
            "identity.ldap.bind_password", ["OCIS_LDAP_BIND_PASSWORD", "GRAPH_LDAP_BIND_PASSWORD"], required;
        /// Where events go: in this version to the service `nats` of the same process, whatever address stands here; they wait while it does not run. `none`: no events are made.
        events_endpoint: String = "127.0.0.1:9233",
            "events.endpoint", ["OCIS_EVENTS_ENDPOINT", "GRAPH_EVENTS_ENDPOINT"];
        /// Account under which the service acts on its own.
        service_account_id: String = "",
            "service_account.service_account_id", ["OCIS_SERVICE_ACCOUNT_ID", "GRAPH_SERVICE_ACCOUNT_ID"], required;
        /// Secret of that account.
        service_account_secret: Secret = "",
            "service_account.service_account_secret", ["OCIS_SERVICE_ACCOUNT_SECRET", "GRAPH_SERVICE_ACCOUNT_SECRET"], required;
        /// The LDAP servers of the directory (ldap:// or ldaps://); several with blanks or commas between them are tried in order. The default, and any other URI of the address where idm of the same process listens, means its directory without LDAP.
        ldap_uri: LdapUris = "ldaps://localhost:9235",
            "identity.ldap.uri", ["OCIS_LDAP_URI", "GRAPH_LDAP_URI"];
        /// File with certificates (PEM) to trust for LDAP besides the system's; empty for only those.
        ldap_ca_cert: String = "$OCIS_BASE_DATA_PATH/idm/ldap.crt",
            "identity.ldap.cacert", ["OCIS_LDAP_CACERT", "GRAPH_LDAP_CACERT"];
        /// Whether any certificate of the LDAP server will do.
        ldap_insecure: bool = "false",
            "identity.ldap.insecure", ["OCIS_LDAP_INSECURE", "GRAPH_LDAP_INSECURE"];
        /// Account with which the service asks the directory; empty for none.
        bind_dn: String = "uid=libregraph,ou=sysusers,o=libregraph-idm",
            "identity.ldap.bind_dn", ["OCIS_LDAP_BIND_DN", "GRAPH_LDAP_BIND_DN"];
        /// Whether the LDAP server gives new entries their id.
        server_uuid: bool = "false", "identity.ldap.use_server_uuid", ["GRAPH_LDAP_SERVER_UUID"];
        /// Whether passwords are set with the password modify operation (RFC 3062) instead of the attribute userPassword.
        password_exop: bool = "true",
            "identity.ldap.use_password_modify_exop", ["GRAPH_LDAP_SERVER_USE_PASSWORD_MODIFY_EXOP"];
        /// Whether users and groups may be changed, be they behind LDAP or not.
        write_enabled: bool = "true",
            "identity.ldap.write_enabled", ["OCIS_LDAP_SERVER_WRITE_ENABLED", "GRAPH_LDAP_SERVER_WRITE_ENABLED"];
        /// Whether the LDAP server itself keeps memberships right when a user is renamed or removed.
        refint_enabled: bool = "false",
            "identity.ldap.refint_enabled", ["GRAPH_LDAP_REFINT_ENABLED"];
        /// Entry below which the users are.
        user_base_dn: String = "ou=users,o=libregraph-idm",
            "identity.ldap.user_base_dn", ["OCIS_LDAP_USER_BASE_DN", "GRAPH_LDAP_USER_BASE_DN"];
        /// How far below that entry users are: base, one or sub.
        user_scope: LdapScope = "sub",
            "identity.ldap.user_search_scope", ["OCIS_LDAP_USER_SCOPE", "GRAPH_LDAP_USER_SCOPE"];
        /// Filter that users have to meet besides, with its parentheses.
        user_filter: String = "",
            "identity.ldap.user_filter", ["OCIS_LDAP_USER_FILTER", "GRAPH_LDAP_USER_FILTER"];
        /// Object class of users.
        user_object_class: String = "inetOrgPerson",
            "identity.ldap.user_objectclass", ["OCIS_LDAP_USER_OBJECTCLASS", "GRAPH_LDAP_USER_OBJECTCLASS"];
        /// Attribute with the mail address of a user.
        user_mail: String = "mail",
            "identity.ldap.user_mail_attribute", ["OCIS_LDAP_USER_SCHEMA_MAIL", "GRAPH_LDAP_USER_EMAIL_ATTRIBUTE"];
        /// Attribute with the name to show of a user.
        user_display_name: String = "displayName",
            "identity.ldap.user_displayname_attribute", ["OCIS_LDAP_USER_SCHEMA_DISPLAYNAME", "LDAP_USER_SCHEMA_DISPLAY_NAME", "GRAPH_LDAP_USER_DISPLAYNAME_ATTRIBUTE"];
        /// Attribute with the name that a user signs in with.
        user_name: String = "uid",
            "identity.ldap.user_name_attribute", ["OCIS_LDAP_USER_SCHEMA_USERNAME", "GRAPH_LDAP_USER_NAME_ATTRIBUTE"];
        /// Attribute with the id of a user.
        user_id: String = "owncloudUUID",
            "identity.ldap.user_id_attribute", ["OCIS_LDAP_USER_SCHEMA_ID", "GRAPH_LDAP_USER_UID_ATTRIBUTE"];
        /// Whether that attribute holds the 16 bytes of a UUID, as objectGUID of Active Directory.
        user_id_octets: bool = "false",
            "identity.ldap.user_id_is_octet_string", ["OCIS_LDAP_USER_SCHEMA_ID_IS_OCTETSTRING", "GRAPH_LDAP_USER_SCHEMA_ID_IS_OCTETSTRING"];
        /// Attribute with the kind of a user: Member, Guest or Federated.
        user_type: String = "ownCloudUserType",
            "identity.ldap.user_type_attribute", ["OCIS_LDAP_USER_SCHEMA_USER_TYPE", "GRAPH_LDAP_USER_TYPE_ATTRIBUTE"];
        /// Attribute that is FALSE for a disabled user.
        user_enabled: String = "ownCloudUserEnabled",
            "identity.ldap.user_enabled_attribute", ["OCIS_LDAP_USER_ENABLED_ATTRIBUTE", "GRAPH_USER_ENABLED_ATTRIBUTE"];
        /// What makes a user a disabled one: none, attribute or group.
        disable_users: LdapDisable = "attribute",
            "identity.ldap.disable_user_mechanism", ["OCIS_LDAP_DISABLE_USER_MECHANISM", "GRAPH_DISABLE_USER_MECHANISM"];
        /// The group whose members are disabled.
        disabled_group_dn: String = "cn=DisabledUsersGroup,ou=groups,o=libregraph-idm",
            "identity.ldap.ldap_disabled_users_group_dn", ["OCIS_LDAP_DISABLED_USERS_GROUP_DN", "GRAPH_DISABLED_USERS_GROUP_DN"];
        /// Entry below which the groups are.
        group_base_dn: String = "ou=groups,o=libregraph-idm",
            "identity.ldap.group_base_dn", ["OCIS_LDAP_GROUP_BASE_DN", "GRAPH_LDAP_GROUP_BASE_DN"];
        /// Entry below which new groups come; empty for that of all groups.
        group_create_base_dn: String = "",
            "identity.ldap.group_create_base_dn", ["GRAPH_LDAP_GROUP_CREATE_BASE_DN"];
        /// How far below that entry groups are: base, one or sub.
        group_scope: LdapScope = "sub",
            "identity.ldap.group_search_scope", ["OCIS_LDAP_GROUP_SCOPE", "GRAPH_LDAP_GROUP_SEARCH_SCOPE"];
        /// Filter that groups have to meet besides, with its parentheses.
        group_filter: String = "",
            "identity.ldap.group_filter", ["OCIS_LDAP_GROUP_FILTER", "GRAPH_LDAP_GROUP_FILTER"];
        /// Object class of groups; members of a posixGroup are user names, of all others DNs.
        group_object_class: String = "groupOfNames",
            "identity.ldap.group_objectclass", ["OCIS_LDAP_GROUP_OBJECTCLASS", "GRAPH_LDAP_GROUP_OBJECTCLASS"];
        /// Attribute with the name of a group.
        group_name: String = "cn",
            "identity.ldap.group_name_attribute", ["OCIS_LDAP_GROUP_SCHEMA_GROUPNAME", "GRAPH_LDAP_GROUP_NAME_ATTRIBUTE"];
        /// Attribute with the members of a group.
        group_member: String = "member",
            "identity.ldap.group_member_attribute", ["OCIS_LDAP_GROUP_SCHEMA_MEMBER", "GRAPH_LDAP_GROUP_MEMBER_ATTRIBUTE"];
        /// Attribute with the id of a group.
        group_id: String = "owncloudUUID",
            "identity.ldap.group_id_attribute", ["OCIS_LDAP_GROUP_SCHEMA_ID", "GRAPH_LDAP_GROUP_ID_ATTRIBUTE"];
        /// Whether that attribute holds the 16 bytes of a UUID.
        group_id_octets: bool = "false",
            "identity.ldap.group_id_is_octet_string", ["OCIS_LDAP_GROUP_SCHEMA_ID_IS_OCTETSTRING", "GRAPH_LDAP_GROUP_SCHEMA_ID_IS_OCTETSTRING"];
    }
}

impl Graph {
    /// Whether anybody wants to be told of changes.
    pub(crate) fn makes_events(&self) -> bool {
        !self.events_endpoint.is_empty() && self.events_endpoint != "none"
    }

    /// The directory behind LDAP.
    pub(crate) fn directory(&self) -> LdapOptions {
        let mut options = directory!(self);
        options.users.user_type = self.user_type.clone();
        options.users.enabled = self.user_enabled.clone();
        options.disable = self.disable_users.with(&self.disabled_group_dn);
        options.changes = Changes {
            enabled: self.write_enabled,
            server_uuid: self.server_uuid,
            password_exop: self.password_exop,
            refint: self.refint_enabled,
            group_base_dn: self.group_create_base_dn.clone(),
        };
        options
    }
}
