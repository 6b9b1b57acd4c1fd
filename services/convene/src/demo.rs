//! `convene demo`: one booking from request to recording, through the public API, as a booking app, a host and two guests would.

mod cast;
mod recording;
mod story;
mod timeline;
mod watcher;

use std::path::PathBuf;

use convene_kit::{Result, ids};

use crate::{Node, command::print, config::Config};

/// Plays the story on a node of its own and prints its timeline.
pub async fn run(data: Option<PathBuf>) -> Result<()> {
    let data = data.unwrap_or_else(|| {
        std::env::temp_dir().join(format!("convene-demo-{}", ids::new().simple()))
    });
    let node = Node::start(Config::embedded(data.clone())).await?;
    let told = story::play(&node, &data).await;
    let stopped = node.stop().await;
    told.and(stopped)?;
    print(&format!(
        "\nEverything above is in {}; look again with `convene audit verify --data {}`.\n",
        data.display(),
        data.display()
    ));
    Ok(())
}
