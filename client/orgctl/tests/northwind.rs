//! The program against a server: what the sample's summary says one may try, tried.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

use std::{
    path::PathBuf,
    process::{Command, Output},
    sync::Arc,
    time::Duration,
};

use orgservice_server::{
    metadata::DefinitionsBuilder,
    operations::bootstrap::BootstrapOptions,
    organization::{Organization, OrganizationOptions},
    storage::{EmbeddedStore, engine::MemoryEngine},
    transport::{TransportOptions, serve},
};
use tokio::{net::TcpListener, sync::oneshot};

/// A server with nothing but the first administrator, and a folder for files.
struct Server {
    address: String,
    administrator: String,
    folder: PathBuf,
    _stop: oneshot::Sender<()>,
}

impl Server {
    async fn start(name: &str) -> Self {
        let store = EmbeddedStore::open(Box::new(MemoryEngine::default())).unwrap();
        let definitions = DefinitionsBuilder::system().build().unwrap();
        let options = OrganizationOptions::new(definitions, "memory");
        let organization = Organization::open(Arc::new(store), options).unwrap();
        let first = organization
            .bootstrap(&BootstrapOptions {
                organization_name: "Northwind Traders".to_owned(),
                administrator_name: "First Administrator".to_owned(),
            })
            .unwrap()
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(async move {
            let transport = TransportOptions {
                tls: None,
                reflection: false,
                drain: Duration::from_secs(1),
            };
            let shutdown = async {
                let _ = stopped.await;
            };
            serve(listener, organization, transport, shutdown)
                .await
                .unwrap();
        });
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&folder).unwrap();
        Self {
            address,
            administrator: first.token,
            folder,
            _stop: stop,
        }
    }

    fn file(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    /// Runs the program as the administrator.
    async fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_orgctl"));
        command
            .args(arguments)
            .env("ORGSERVICE_ADDRESS", &self.address)
            .env("ORGSERVICE_TOKEN", &self.administrator)
            .env_remove("ORGSERVICE_AS")
            .env_remove("ORGSERVICE_CA");
        tokio::task::spawn_blocking(move || command.output().unwrap())
            .await
            .unwrap()
    }

    /// Runs the program, which does its work, and says what it prints.
    async fn print(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments).await;
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {errors}");
        String::from_utf8(output.stdout)
            .unwrap()
            .trim_end()
            .to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn northwind_is_loaded_and_loaded_again() {
    let server = Server::start("loaded").await;
    let token = server.file("integration.token");
    let load = ["sample", "northwind", "--save-token", &token];
    // 4 units, 4 roles, 10 users, 53 teams, 120 accounts with a contact each.
    let first = server.print(&load).await;
    assert!(first.contains("311 records created, 0 updated"), "{first}");
    let earlier = std::fs::read_to_string(&token).unwrap();
    let again = server.print(&load).await;
    assert!(again.contains("0 records created, 311 updated"), "{again}");
    assert_eq!(server.print(&["query", "account", "--count"]).await, "120");
    assert_eq!(server.print(&["query", "contact", "--count"]).await, "120");

    // The token of the first load has given way to that of the second.
    let old = ["--token-file", &server.file("earlier.token"), "who-am-i"].map(str::to_owned);
    std::fs::write(&old[1], earlier).unwrap();
    let old: Vec<&str> = old.iter().map(String::as_str).collect();
    assert_eq!(server.run(&old).await.status.code(), Some(1));
    let me = server.print(&["--token-file", &token, "who-am-i"]).await;
    assert!(me.contains("Northwind Integration"), "{me}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_integration_acts_for_others_and_gains_nothing() {
    let server = Server::start("delegated").await;
    let token = server.file("integration.token");
    server
        .print(&["sample", "northwind", "--save-token", &token])
        .await;
    let as_steven = ["--token-file", &token, "--as", "Steven Buchanan"];
    let as_steven = |arguments: &[&'static str]| [&as_steven[..], arguments].concat();

    // Alone it sees what the default team of its unit owns; for Steven what his region owns.
    let alone = ["--token-file", &token, "query", "account", "--count"];
    assert_eq!(server.print(&alone).await, "29");
    let count = as_steven(&["query", "account", "--count"]);
    assert_eq!(server.print(&count).await, "59");

    let explained = server
        .print(&as_steven(&["explain", "account", "--ascii"]))
        .await;
    assert!(
        explained.contains("account   u u u - u u - -     d d d d d d d d    d d d - d d - -"),
        "{explained}"
    );

    let find = as_steven(&["query", "account", "--where", "accountnumber = ALFKI"]);
    let row = server.print(&find).await;
    let id = row
        .split_whitespace()
        .find(|word| word.len() == 36 && word.contains('-'))
        .expect("Steven sees Alfreds Futterkiste");
    let refused = server
        .run(&[
            "--token-file",
            &token,
            "--as",
            "Steven Buchanan",
            "delete",
            "account",
            id,
        ])
        .await;
    assert_eq!(refused.status.code(), Some(1));
    let refusal = String::from_utf8(refused.stderr).unwrap();
    assert!(refusal.contains("PrivilegeDenied 0x80040220"), "{refusal}");
    assert!(
        refusal.contains("prvDeleteAccount, by the impersonator"),
        "{refusal}"
    );
    let explain = [
        "explain",
        "--of",
        "Northwind Integration",
        "--as",
        "Steven Buchanan",
    ];
    let explain = [&explain[..], &["--request", "Delete", "account", id]].concat();
    let explained = server.print(&explain).await;
    assert!(
        explained.contains("B  Steven Buchanan holds prvDeleteAccount at Deep"),
        "{explained}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_retrieve_prints_create_accepts() {
    let server = Server::start("json").await;
    let values = [
        "name=Contoso",
        "revenue:money=5000.00",
        "creditonhold:bool=true",
    ];
    let id = server
        .print(&[&["create", "account"], &values[..]].concat())
        .await;
    let retrieve = ["retrieve", "account", &id, "--all", "--output", "json"];
    let printed = server.print(&retrieve).await;
    server.print(&["delete", "account", &id]).await;

    let file = server.file("account.json");
    std::fs::write(&file, printed).unwrap();
    let same = server.print(&["create", "account", "--json", &file]).await;
    assert_eq!(same, id, "the record has the id that was printed");
    let shown = server
        .print(&["retrieve", "account", &id, "--columns", "name,revenue"])
        .await;
    assert!(
        shown.contains("Contoso") && shown.contains("5000.00"),
        "{shown}"
    );
}
