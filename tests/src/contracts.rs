//! Any method of any role, called with a message that fits: read from the contracts, so that a rule is tried on methods of tomorrow too.

use http::uri::PathAndQuery;
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor,
    Value, prost::Message as _,
};
use tonic::{
    Request, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    transport::Channel,
};

use crate::Values;

/// How deep messages nest.
const DEPTH: usize = 4;
/// Longest wait for an answer, in milliseconds.
const WAIT_MS: u64 = 10_000;
/// Longest wait for the first message of a stream, in milliseconds: a feed that has something to tell tells it at once, and never ends by itself.
const STREAM_WAIT_MS: u64 = 200;
/// 2099-01-01, in seconds of Unix time.
const FUTURE_S: i64 = 4_070_908_800;

/// The contracts of all roles.
pub struct Contracts(DescriptorPool);

impl Contracts {
    /// As the roles serve them by reflection.
    pub fn of_roles() -> Self {
        Self(DescriptorPool::decode(convene_proto::DESCRIPTORS).unwrap())
    }

    /// All methods that roles serve to each other.
    pub fn methods(&self) -> Vec<MethodDescriptor> {
        let services = self.0.services();
        let ours = services.filter(|service| service.package_name().starts_with("convene."));
        let methods = ours.flat_map(|service| service.methods().collect::<Vec<_>>());
        methods
            .filter(|method| !method.is_client_streaming())
            .collect()
    }

    /// A message for a method.
    pub fn message(&self, method: &MethodDescriptor, values: &mut impl Values) -> DynamicMessage {
        filled(method.input(), DEPTH, values)
    }
}

fn filled(of: MessageDescriptor, depth: usize, values: &mut impl Values) -> DynamicMessage {
    let mut message = DynamicMessage::new(of.clone());
    if of.full_name() == "google.protobuf.Timestamp" {
        message.set_field_by_name("seconds", Value::I64(FUTURE_S));
        return message;
    }
    for field in of.fields() {
        if let Some(value) = value(&field, depth, values) {
            let value = match field.is_list() {
                true => Value::List(vec![value]),
                false => value,
            };
            message.set_field(&field, value);
        }
    }
    message
}

fn value(field: &FieldDescriptor, depth: usize, values: &mut impl Values) -> Option<Value> {
    let name = field.name();
    let is_id = ["id", "ids"].contains(&name) || name.ends_with("_id") || name.ends_with("_ids");
    Some(match field.kind() {
        Kind::String if is_id => Value::String(values.id(name)),
        Kind::String => Value::String(values.text(name)),
        Kind::Bool => Value::Bool(true),
        Kind::Uint32 => Value::U32(1),
        Kind::Uint64 if name == "after_position" => return None,
        Kind::Uint64 => Value::U64(1),
        Kind::Int32 => Value::I32(1),
        Kind::Int64 => Value::I64(60_000),
        Kind::Enum(_) => Value::EnumNumber(1),
        Kind::Bytes => Value::Bytes(vec![1; 32].into()),
        // A span that begins before it ends.
        Kind::Message(of)
            if of.full_name() == "google.protobuf.Timestamp" && ["to", "end"].contains(&name) =>
        {
            let mut message = DynamicMessage::new(of);
            message.set_field_by_name("seconds", Value::I64(FUTURE_S + 86_400));
            Value::Message(message)
        }
        Kind::Message(of) if !field.is_map() => {
            Value::Message(filled(of, depth.checked_sub(1)?, values))
        }
        _ => return None,
    })
}

/// Calls a method; of a stream the first message. `None` when nothing came in time.
pub async fn call(
    channel: &Channel,
    method: &MethodDescriptor,
    request: Request<DynamicMessage>,
) -> Option<Result<DynamicMessage, Status>> {
    let wait = std::time::Duration::from_millis(match method.is_server_streaming() {
        true => STREAM_WAIT_MS,
        false => WAIT_MS,
    });
    let calling = async {
        let mut client = Grpc::new(channel.clone());
        client.ready().await.unwrap();
        let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
        let path = PathAndQuery::try_from(path).unwrap();
        let codec = Dynamic(method.output());
        if !method.is_server_streaming() {
            let answer = client.unary(request, path, codec).await;
            return Some(answer.map(|answer| answer.into_inner()));
        }
        let mut stream = match client.server_streaming(request, path, codec).await {
            Ok(stream) => stream.into_inner(),
            Err(status) => return Some(Err(status)),
        };
        stream.message().await.transpose()
    };
    tokio::time::timeout(wait, calling).await.ok().flatten()
}

/// Messages of which only the description is known.
struct Dynamic(MessageDescriptor);

impl Codec for Dynamic {
    type Encode = DynamicMessage;
    type Decode = DynamicMessage;
    type Encoder = Encoding;
    type Decoder = Dynamic;

    fn encoder(&mut self) -> Encoding {
        Encoding
    }

    fn decoder(&mut self) -> Self {
        Self(self.0.clone())
    }
}

struct Encoding;

impl Encoder for Encoding {
    type Item = DynamicMessage;
    type Error = Status;

    fn encode(&mut self, message: DynamicMessage, into: &mut EncodeBuf<'_>) -> Result<(), Status> {
        message
            .encode(into)
            .map_err(|error| Status::internal(error.to_string()))
    }
}

impl Decoder for Dynamic {
    type Item = DynamicMessage;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<DynamicMessage>, Status> {
        DynamicMessage::decode(self.0.clone(), from)
            .map(Some)
            .map_err(|error| Status::internal(error.to_string()))
    }
}
