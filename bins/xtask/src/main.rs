//! What developers run: `cargo run -p xtask -- <command>`.

mod settings;

use clap::Parser;

#[derive(Parser)]
#[command(about = "Generated documents and house rules")]
enum Command {
    /// Writes the settings reference, ocis-runtime/SETTINGS.md
    Settings,
}

fn main() -> anyhow::Result<()> {
    match Command::parse() {
        Command::Settings => settings::write(),
    }
}
