//! A server inside the test process, on a port of its own.

use std::{
    path::PathBuf,
    sync::{Arc, LazyLock},
    time::Duration,
};

use orgservice_server::{
    metadata::{CascadeConfiguration, Definitions, DefinitionsBuilder, column::text, table},
    operations::bootstrap::BootstrapOptions,
    organization::{Organization, OrganizationOptions},
    storage::{
        CommitVersion, Direction, EmbeddedStore, KeyRange, StorageError, Store,
        engine::{Engine, MemoryEngine, SledEngine, SledOptions, WriteBatch},
    },
    transport::{TransportOptions, serve},
};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use tonic::transport::{Channel, Endpoint};
use uuid::Uuid;

use super::client::Client;

/// Name of the root business unit, as the worked examples call it.
pub const ROOT: &str = "ROOT";

/// Object type code of the organization-owned table `x_rate` of the worked examples.
const RATE_CODE: u32 = 10_100;

/// How a server under test is built.
#[derive(Clone, Debug)]
pub struct TestOptions {
    /// Whether relationships cascade as shipped; otherwise the fixture of `security.md` 13 holds:
    /// NoCascade and RemoveLink everywhere.
    pub shipped_cascades: bool,
    /// Other settings of single relationships, by schema name.
    pub cascades: Vec<(String, CascadeConfiguration)>,
    /// The PrivUserGroup (IM-4).
    pub trusted_hosts: Vec<String>,
    /// Where a store on disk lies; in memory without.
    pub sled: Option<PathBuf>,
}

impl Default for TestOptions {
    fn default() -> Self {
        TestOptions {
            shipped_cascades: true,
            cascades: Vec::new(),
            trusted_hosts: Vec::new(),
            sled: None,
        }
    }
}

impl TestOptions {
    /// NoCascade and RemoveLink everywhere, as in the worked examples of `security.md` 13.
    pub fn without_cascades() -> Self {
        TestOptions {
            shipped_cascades: false,
            ..TestOptions::default()
        }
    }

    /// The shipped tables, `x_rate`, and the cascades asked for.
    fn definitions(&self) -> Definitions {
        let rate = table("x_Rate")
            .code(RATE_CODE)
            .organization_owned()
            .primary_name(text("x_Name", 100));
        let mut builder = DefinitionsBuilder::system().table(rate);
        if !self.shipped_cascades {
            builder = builder.no_cascade();
        }
        for (relationship, cascade) in &self.cascades {
            builder = builder.cascade(relationship, *cascade);
        }
        builder.build().expect("the tables of the test server")
    }
}

/// An organization served on a port of its own; it stops when it is dropped.
pub struct TestServer {
    /// The organization itself, to look at what requests left behind.
    pub organization: Organization,
    /// The first administrator.
    pub administrator: Uuid,
    /// Its bearer token.
    pub administrator_token: String,
    /// Where it listens.
    pub address: String,
    engine: Option<Arc<MemoryEngine>>,
    channel: Channel,
    stop: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<()>>,
}

impl TestServer {
    /// Starts a server with a fresh organization.
    pub async fn start(options: TestOptions) -> Self {
        static FRESH: LazyLock<Image> = LazyLock::new(Image::fresh);
        if options.sled.is_some() {
            let engine = open_sled(&options);
            return Self::serve(engine, None, options, None).await;
        }
        Self::start_from(&FRESH, options).await
    }

    /// Starts a server with a copy of the content that another one had.
    pub async fn start_from(image: &Image, options: TestOptions) -> Self {
        let memory = Arc::new(image.to_engine());
        let engine = Box::new(SharedMemory(Arc::clone(&memory)));
        let known = Some((image.administrator, image.administrator_token.clone()));
        Self::serve(engine, Some(memory), options, known).await
    }

    async fn serve(
        engine: Box<dyn Engine>,
        memory: Option<Arc<MemoryEngine>>,
        options: TestOptions,
        known: Option<(Uuid, String)>,
    ) -> Self {
        let store = EmbeddedStore::open(engine).expect("a store");
        let organization = open(Arc::new(store), &options);
        let (administrator, administrator_token) =
            known.unwrap_or_else(|| bootstrap(&organization));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let (stop, stopped) = oneshot::channel();
        let served = organization.clone();
        let serving = tokio::spawn(async move {
            let transport = TransportOptions {
                tls: None,
                reflection: true,
                drain: Duration::from_secs(1),
            };
            let shutdown = async {
                let _ = stopped.await;
            };
            serve(listener, served, transport, shutdown)
                .await
                .expect("the server served");
        });
        let channel = Endpoint::from_shared(address.clone())
            .expect("an address")
            .tcp_nodelay(true)
            .connect_lazy();
        TestServer {
            organization,
            administrator,
            administrator_token,
            address,
            engine: memory,
            channel,
            stop: Some(stop),
            serving: Some(serving),
        }
    }

    /// The content as it is now, to start other servers from. Memory only.
    pub fn image(&self) -> Image {
        let engine = self.engine.as_ref().expect("a server in memory");
        Image::of(engine, self.administrator, self.administrator_token.clone())
    }

    /// A client that sends this token.
    pub fn client(&self, token: &str) -> Client {
        Client::new(self.channel.clone(), token)
    }

    /// A client of the first administrator.
    pub fn as_administrator(&self) -> Client {
        self.client(&self.administrator_token)
    }

    /// The connection itself, for other generated clients.
    pub fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// A hash over everything that is stored: equal when nothing was written in between.
    pub fn content_hash(&self) -> [u8; 32] {
        self.organization.store().content_hash().expect("a hash")
    }

    /// Stops serving and waits until open calls have ended.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        if let Some(serving) = self.serving.take() {
            serving.await.expect("the server ended well");
        }
    }
}

impl Drop for TestServer {
    /// The server ends by itself once nobody holds the word that stops it.
    fn drop(&mut self) {
        drop(self.stop.take());
    }
}

fn open(store: Arc<dyn Store>, options: &TestOptions) -> Organization {
    let engine = if options.sled.is_some() {
        "sled"
    } else {
        "memory"
    };
    let mut organization = OrganizationOptions::new(options.definitions(), engine);
    organization.trusted_hosts = options.trusted_hosts.clone();
    Organization::open(store, organization).expect("an organization")
}

fn bootstrap(organization: &Organization) -> (Uuid, String) {
    let first = organization
        .bootstrap(&BootstrapOptions {
            organization_name: ROOT.to_owned(),
            administrator_name: "First Administrator".to_owned(),
        })
        .expect("a first start")
        .expect("an empty store");
    (first.administrator, first.token)
}

fn open_sled(options: &TestOptions) -> Box<dyn Engine> {
    let directory = options.sled.clone().expect("a directory");
    let options = SledOptions {
        directory,
        cache_bytes: 16 * 1024 * 1024,
    };
    Box::new(SledEngine::open(&options).expect("sled"))
}

/// Everything a store in memory held at one moment.
#[derive(Clone)]
pub struct Image {
    content: WriteBatch,
    version: CommitVersion,
    administrator: Uuid,
    administrator_token: String,
}

impl Image {
    /// A fresh organization.
    fn fresh() -> Self {
        let engine = Arc::new(MemoryEngine::default());
        let store = EmbeddedStore::open(Box::new(SharedMemory(Arc::clone(&engine))));
        let organization = open(Arc::new(store.expect("a store")), &TestOptions::default());
        let (administrator, token) = bootstrap(&organization);
        Self::of(&engine, administrator, token)
    }

    fn of(engine: &MemoryEngine, administrator: Uuid, administrator_token: String) -> Self {
        let everything = KeyRange {
            start: Vec::new(),
            end: vec![u8::MAX; 64],
        };
        let pairs = engine
            .scan(&everything, Direction::Forward, usize::MAX)
            .expect("the content of memory");
        let mut content = WriteBatch::default();
        for (key, value) in pairs {
            content.write(key, Some(value));
        }
        Image {
            content,
            version: engine.applied_version().expect("a version"),
            administrator,
            administrator_token,
        }
    }

    fn to_engine(&self) -> MemoryEngine {
        let engine = MemoryEngine::default();
        engine
            .apply(&self.content, self.version)
            .expect("a copy in memory");
        engine
    }
}

/// An engine in memory whose content can be copied while a store uses it.
struct SharedMemory(Arc<MemoryEngine>);

type Pairs = Vec<(bytes::Bytes, bytes::Bytes)>;

impl Engine for SharedMemory {
    fn get(&self, key: &[u8]) -> Result<Option<bytes::Bytes>, StorageError> {
        self.0.get(key)
    }

    fn scan(
        &self,
        range: &KeyRange,
        direction: Direction,
        limit: usize,
    ) -> Result<Pairs, StorageError> {
        self.0.scan(range, direction, limit)
    }

    fn apply(&self, batch: &WriteBatch, version: CommitVersion) -> Result<(), StorageError> {
        self.0.apply(batch, version)
    }

    fn sync(&self) -> Result<(), StorageError> {
        self.0.sync()
    }

    fn applied_version(&self) -> Result<CommitVersion, StorageError> {
        self.0.applied_version()
    }
}
