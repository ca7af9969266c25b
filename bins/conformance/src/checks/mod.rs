//! The checks by topic; each file registers its own.

mod backend;
mod big;
mod cadaver;
mod crash;
mod credentials;
mod curl;
mod foreign_provider;
mod graph;
mod graph_acceptance;
mod hostile;
mod idm;
mod ldap;
mod litmus;
mod oidc;
mod owncloudcmd;
mod rclone;
mod s3;
mod security;
mod supervisor;
mod trash;
mod tus;

use ocis_conformance::harness::Plan;

/// Adds every check but the facts.
pub(crate) fn register(plan: &mut Plan) {
    litmus::register(plan);
    rclone::register(plan);
    owncloudcmd::register(plan);
    cadaver::register(plan);
    curl::register(plan);
    crash::register(plan);
    credentials::register(plan);
    backend::register(plan);
    big::register(plan);
    hostile::register(plan);
    supervisor::register(plan);
    security::register(plan);
    trash::register(plan);
    tus::register(plan);
    oidc::register(plan);
    graph::register(plan);
    graph_acceptance::register(plan);
    idm::register(plan);
    plan.also_in_a_bucket(&["litmus", "rclone", "owncloudcmd", "curl", "cadaver", "crash", "tus"]);
    foreign_provider::register(plan);
    s3::register(plan);
    plan.also_with_openldap(&[
        "litmus",
        "rclone",
        "owncloudcmd",
        "curl",
        "cadaver",
        "davfs2",
        "graph-acceptance",
    ]);
    ldap::register(plan);
}
