//! The load: a closed loop of calls over a few connections, and what it saw.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use fastrand::Rng;
use hdrhistogram::Histogram;
use orgservice::{
    metadata_keys,
    v1::{Entity, organization_service_client::OrganizationServiceClient},
};
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint},
};
use uuid::Uuid;

use super::{Outcome, child::Server, data};

/// Connections of one client; more were no better in the measurements that set the goals.
const CONNECTIONS: usize = 4;

/// Longest call that the histograms tell apart from others, in microseconds.
const LONGEST: u64 = 60_000_000;

/// What a call of the load is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Call {
    Retrieve,
    Create,
    Update,
    Page,
}

/// In whose name calls are made.
#[derive(Clone, Default)]
pub struct Credentials {
    authorization: Option<MetadataValue<Ascii>>,
    caller_id: Option<MetadataValue<Ascii>>,
}

impl Credentials {
    /// The holder of a token, for itself or on behalf of another user.
    pub fn new(token: &str, on_behalf_of: Option<Uuid>) -> Outcome<Self> {
        Ok(Credentials {
            authorization: Some(format!("Bearer {token}").parse()?),
            caller_id: on_behalf_of.map(|id| id.to_string().parse()).transpose()?,
        })
    }

    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        let metadata = request.metadata_mut();
        if let Some(authorization) = &self.authorization {
            metadata.insert(metadata_keys::AUTHORIZATION, authorization.clone());
        }
        if let Some(caller_id) = &self.caller_id {
            metadata.insert(metadata_keys::CALLER_ID, caller_id.clone());
        }
        request
    }
}

/// A server, connections to it, and in whose name they are used.
#[derive(Clone)]
pub struct Target {
    server: Arc<Server>,
    channels: Vec<Channel>,
    credentials: Credentials,
}

/// What one interval of load saw.
#[derive(Clone, Copy, Debug)]
pub struct Measure {
    /// Calls a second.
    pub rate: f64,
    /// Microseconds that half of the calls took at most.
    pub p50: f64,
    /// Microseconds that 99 of 100 calls took at most.
    pub p99: f64,
    /// Microseconds of the server's processor time for one call.
    pub cpu: f64,
}

impl Target {
    /// Connects; with a certificate over TLS.
    pub async fn connect(
        server: &Arc<Server>,
        address: SocketAddr,
        certificate: Option<&[u8]>,
        credentials: Credentials,
    ) -> Outcome<Self> {
        let mut channels = Vec::with_capacity(CONNECTIONS);
        for _ in 0..CONNECTIONS {
            let endpoint = match certificate {
                None => Endpoint::from_shared(format!("http://{address}"))?,
                Some(pem) => {
                    let trusted = ClientTlsConfig::new()
                        .ca_certificate(Certificate::from_pem(pem))
                        .domain_name("localhost");
                    Endpoint::from_shared(format!("https://{address}"))?.tls_config(trusted)?
                }
            };
            channels.push(endpoint.tcp_nodelay(true).connect().await?);
        }
        Ok(Target {
            server: Arc::clone(server),
            channels,
            credentials,
        })
    }

    /// The same connections in another name.
    pub fn with(&self, credentials: Credentials) -> Self {
        Target {
            credentials,
            ..self.clone()
        }
    }

    /// One record as it is answered.
    pub async fn retrieve(&self, id: Uuid) -> Outcome<Entity> {
        let mut client = OrganizationServiceClient::new(self.channels[0].clone());
        let answer = client
            .retrieve(self.credentials.request(data::retrieve(id)))
            .await?;
        Ok(answer
            .into_inner()
            .entity
            .ok_or("an answer without record")?)
    }

    /// Keeps `in_flight` calls going for a while, each task with records of its own.
    pub async fn load(
        &self,
        call: Call,
        in_flight: usize,
        records: usize,
        interval: Duration,
    ) -> Outcome<Measure> {
        let cpu_before = self.server.cpu()?;
        let begin = Instant::now();
        let end = begin + interval;
        let tasks: Vec<_> = (0..in_flight)
            .map(|task| {
                let channel = self.channels[task % self.channels.len()].clone();
                let client = OrganizationServiceClient::new(channel);
                let caller = Caller {
                    client: client.max_decoding_message_size(usize::MAX),
                    credentials: self.credentials.clone(),
                    rng: Rng::new(),
                    task,
                    in_flight,
                    records,
                };
                tokio::spawn(caller.run(call, end))
            })
            .collect();
        let mut times = histogram()?;
        for task in tasks {
            times.add(task.await??)?;
        }
        let seconds = begin.elapsed().as_secs_f64();
        let cpu = self.server.cpu()? - cpu_before;
        let calls = times.len() as f64;
        Ok(Measure {
            rate: calls / seconds,
            p50: times.value_at_quantile(0.5) as f64,
            p99: times.value_at_quantile(0.99) as f64,
            cpu: cpu * 1e6 / calls,
        })
    }
}

fn histogram() -> Outcome<Histogram<u64>> {
    Ok(Histogram::new_with_bounds(1, LONGEST, 2)?)
}

/// One task of the load.
struct Caller {
    client: OrganizationServiceClient<Channel>,
    credentials: Credentials,
    rng: Rng,
    task: usize,
    in_flight: usize,
    records: usize,
}

impl Caller {
    async fn run(mut self, call: Call, end: Instant) -> Outcome<Histogram<u64>> {
        let mut times = histogram()?;
        loop {
            let begin = Instant::now();
            if begin >= end {
                return Ok(times);
            }
            self.call(call).await?;
            times.saturating_record(begin.elapsed().as_micros() as u64);
        }
    }

    async fn call(&mut self, call: Call) -> Result<(), Status> {
        match call {
            Call::Retrieve => {
                // Even records are the caller's own.
                let number = self.rng.usize(..self.records / 2) * 2;
                let request = self
                    .credentials
                    .request(data::retrieve(data::record_id(number)));
                self.client.retrieve(request).await.map(drop)
            }
            Call::Create => {
                let request = self.credentials.request(data::create(&mut self.rng));
                self.client.create(request).await.map(drop)
            }
            Call::Update => {
                // Records that no other task changes: what is measured is the way of a write, not
                // that of a conflict.
                let each = self.records / 2 / self.in_flight;
                let number = (self.task + self.rng.usize(..each) * self.in_flight) * 2;
                let request = data::update(number, &mut self.rng);
                self.client
                    .update(self.credentials.request(request))
                    .await
                    .map(drop)
            }
            Call::Page => {
                let request = self.credentials.request(data::page());
                let answer = self.client.retrieve_multiple(request).await?;
                let page = answer.into_inner().entity_collection.unwrap_or_default();
                match page.entities.len() {
                    data::PAGE_ROWS => Ok(()),
                    rows => Err(Status::internal(format!("a page of {rows} rows"))),
                }
            }
        }
    }
}
