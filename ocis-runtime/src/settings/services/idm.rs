//! Settings of idm.

use std::path::PathBuf;

use ocis_core::config::reader::Check;
use ocis_core::config::{Address, Secret, WebUrl};
use ocis_core::settings;

settings! {
    /// Owns the embedded directory of users and groups.
    pub struct Idm("idm", key "idm", prefix "IDM", debug "127.0.0.1:9239") {
        /// Directory of the embedded directory's files.
        directory: PathBuf = "$OCIS_BASE_DATA_PATH/idm", "idm.directory", ["IDM_DIRECTORY_PATH"];
        /// Where the directory is served over LDAPS.
        ldaps_addr: Address = "127.0.0.1:9235", "idm.ldaps_addr", ["IDM_LDAPS_ADDR"];
        /// Its certificate chain (PEM). At the default place a self-signed one is made when there is none.
        ldaps_cert: PathBuf = "$OCIS_BASE_DATA_PATH/idm/ldap.crt", "idm.cert", ["IDM_LDAPS_CERT"];
        /// The private key of the certificate (PEM).
        ldaps_key: PathBuf = "$OCIS_BASE_DATA_PATH/idm/ldap.key", "idm.key", ["IDM_LDAPS_KEY"];
        /// Directory file of an oCIS, whose accounts are taken over at first start.
        database: PathBuf = "$OCIS_BASE_DATA_PATH/idm/ocis.boltdb",
            "idm.database", ["IDM_DATABASE_PATH"];
        /// Whether the demo users and groups are made at first start.
        create_demo_users: bool = "false", "create_demo_users", ["IDM_CREATE_DEMO_USERS"];
        /// Issuer under which the accounts are known.
        issuer: WebUrl = "https://localhost:9200",
            "demo_users_issuer_url", ["OCIS_URL", "OCIS_OIDC_ISSUER"];
        /// Id of the account `admin`.
        admin_user_id: String = "", "admin_user_id", ["OCIS_ADMIN_USER_ID", "IDM_ADMIN_USER_ID"];
        /// First password of `admin`; later changes here have no effect.
        admin_password: Secret = "",
            "service_user_passwords.admin_password", ["IDM_ADMIN_PASSWORD"];
        /// Password of the account with which graph asks the directory.
        idm_password: Secret = "",
            "service_user_passwords.idm_password", ["IDM_SVC_PASSWORD"], required;
        /// Password of the account with which users, groups and auth-basic ask the directory.
        reva_password: Secret = "",
            "service_user_passwords.reva_password", ["IDM_REVASVC_PASSWORD"], required;
        /// Password of the account with which idp asks the directory.
        idp_password: Secret = "",
            "service_user_passwords.idp_password", ["IDM_IDPSVC_PASSWORD"], required;
    }
    check Idm::check
}

impl Idm {
    /// The two values about `admin` are needed once the account is to be made.
    fn check(&self, check: &mut Check<'_>) {
        if self.create_demo_users && self.admin_user_id.is_empty() {
            check.missing("admin_user_id");
        }
        if !self.admin_user_id.is_empty() && self.admin_password.is_empty() {
            check.missing("admin_password");
        }
    }
}
