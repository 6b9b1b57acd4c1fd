//! The physical limits: the least that anything must do which answers the same with the same durability. Not product code.

mod booking;
mod fanout;
mod queries;

use std::{env, path::Path};

use axum::{Router, serve::ListenerExt as _};
use tokio::net::TcpListener;

use crate::{Limit, load::Target, process::Process};

/// What a limit prints before its address.
const LISTENS: &str = "listening on";

/// Starts a limit in a process of its own.
pub fn start(limit: Limit, data: &Path) -> Process {
    let name = match limit {
        Limit::Booking => "booking",
        Limit::Fanout => "fanout",
        Limit::Queries => "queries",
    };
    let program = env::current_exe().unwrap();
    Process::start(&program, &["bare", name, data.to_str().unwrap()], LISTENS)
}

/// The way to a started limit.
pub fn target(process: &Process, path: &'static str) -> Target {
    Target {
        authority: process.said(LISTENS),
        path,
        authorization: String::new(),
    }
}

/// Serves a limit for ever.
pub async fn serve(limit: Limit, data: &Path) {
    let router: Router = match limit {
        Limit::Booking => booking::router(data).await,
        Limit::Fanout => fanout::router(),
        Limit::Queries => queries::router(),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("{LISTENS} {}", listener.local_addr().unwrap());
    let listener = listener.tap_io(|connection| connection.set_nodelay(true).unwrap());
    axum::serve(listener, router).await.unwrap();
}
