//! A client that knows nothing but what reflection tells: RPCs by name, messages as bytes.

use std::collections::{BTreeMap, VecDeque};

use bytes::{Buf as _, BufMut as _, Bytes};
use prost::Message as _;
use prost_reflect::{DescriptorPool, MethodDescriptor};
use prost_types::{FileDescriptorProto, FileDescriptorSet};
use tokio_stream::{StreamExt as _, once};
use tonic::{
    Request, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    transport::Channel,
};

use crate::support::client::Client;

/// The two versions of reflection say the same in two packages.
macro_rules! reflection {
    ($version:ident) => {
        pub mod $version {
            use tokio_stream::once;
            use tonic::transport::Channel;
            use tonic_reflection::pb::$version::{
                ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
                server_reflection_request::MessageRequest,
                server_reflection_response::MessageResponse,
            };

            async fn ask(channel: &Channel, question: MessageRequest) -> Option<MessageResponse> {
                let mut client = ServerReflectionClient::new(channel.clone());
                let request = ServerReflectionRequest {
                    host: String::new(),
                    message_request: Some(question),
                };
                let answers = client.server_reflection_info(once(request)).await;
                let mut answers = answers.expect("reflection").into_inner();
                answers.message().await.ok().flatten()?.message_response
            }

            /// Names of the services.
            pub async fn services(channel: &Channel) -> Vec<String> {
                match ask(channel, MessageRequest::ListServices(String::new())).await {
                    Some(MessageResponse::ListServicesResponse(list)) => {
                        let names = list.service.into_iter().map(|service| service.name);
                        names.collect()
                    }
                    other => panic!("{other:?}"),
                }
            }

            /// Encoded descriptors of the file that declares a symbol and, perhaps, of those that it
            /// imports; nothing if there is none.
            pub async fn files_of(channel: &Channel, symbol: &str) -> Vec<Vec<u8>> {
                match ask(
                    channel,
                    MessageRequest::FileContainingSymbol(symbol.to_owned()),
                )
                .await
                {
                    Some(MessageResponse::FileDescriptorResponse(files)) => {
                        files.file_descriptor_proto
                    }
                    _ => Vec::new(),
                }
            }
        }
    };
}

reflection!(v1);
reflection!(v1alpha);

/// Every RPC of the project's own services, as reflection tells them: file by file, each by a symbol
/// that is declared in it.
pub async fn methods(channel: &Channel) -> Vec<MethodDescriptor> {
    let own = |service: &String| service.starts_with("orgservice.");
    let mut files = BTreeMap::new();
    for service in v1::services(channel).await.into_iter().filter(own) {
        for bytes in v1::files_of(channel, &service).await {
            let file = FileDescriptorProto::decode(&*bytes).expect("a file descriptor");
            files.insert(file.name().to_owned(), file);
        }
    }
    let mut waiting: VecDeque<String> = imports(files.values());
    while let Some(name) = waiting.pop_front() {
        if files.contains_key(&name) {
            continue;
        }
        let bytes = file(channel, &name).await;
        let file = FileDescriptorProto::decode(&*bytes).expect("a file descriptor");
        waiting.extend(imports([&file]));
        files.insert(name, file);
    }
    let set = FileDescriptorSet {
        file: files.into_values().collect(),
    };
    let pool =
        DescriptorPool::from_file_descriptor_set(set).expect("descriptors that fit together");
    pool.services()
        .filter(|service| service.full_name().starts_with("orgservice."))
        .flat_map(|service| service.methods().collect::<Vec<_>>())
        .collect()
}

fn imports<'f>(files: impl IntoIterator<Item = &'f FileDescriptorProto>) -> VecDeque<String> {
    let files = files.into_iter();
    files.flat_map(|file| file.dependency.clone()).collect()
}

/// The encoded descriptor of a file by its name.
async fn file(channel: &Channel, name: &str) -> Vec<u8> {
    use tonic_reflection::pb::v1::{
        ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
        server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
    };
    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::FileByFilename(name.to_owned())),
    };
    let mut client = ServerReflectionClient::new(channel.clone());
    let answers = client.server_reflection_info(once(request)).await;
    let answer = answers.expect("reflection").into_inner().message().await;
    match answer
        .expect("reflection")
        .and_then(|answer| answer.message_response)
    {
        Some(MessageResponse::FileDescriptorResponse(files)) => files
            .file_descriptor_proto
            .into_iter()
            .next()
            .expect("a file"),
        other => panic!("{name}: {other:?}"),
    }
}

/// The path of an RPC on the wire.
pub fn path(method: &MethodDescriptor) -> String {
    format!("/{}/{}", method.parent_service().full_name(), method.name())
}

/// Calls any RPC with one message and reads everything it answers; on the wire a single message is a
/// stream of one. Without a client nothing tells who calls.
pub async fn call(
    channel: &Channel,
    client: Option<&Client>,
    path: &str,
    message: Vec<u8>,
) -> Result<Vec<Bytes>, Status> {
    let mut grpc = Grpc::new(channel.clone());
    grpc.ready().await.expect("a connection");
    let messages = once(message);
    let request = match client {
        Some(client) => client.request(messages),
        None => Request::new(messages),
    };
    let path = path.parse().expect("a path");
    let answers = grpc.streaming(request, path, Raw).await?;
    answers.into_inner().collect::<Result<Vec<_>, _>>().await
}

/// Messages as the bytes they are.
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Bytes;
    type Encoder = Raw;
    type Decoder = Raw;

    fn encoder(&mut self) -> Raw {
        Raw
    }

    fn decoder(&mut self) -> Raw {
        Raw
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}
