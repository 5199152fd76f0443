//! Tags of endpoints.

use axum::extract::State;
use names::EndpointId;
use store::Tag;

use super::{
    Management,
    answer::{Answer, Answered, Nothing},
    endpoints,
    fields::Fields,
    request::{Asked, Shape},
};

/// A tag to be set.
pub(super) struct SetTag {
    endpoint: EndpointId,
    tag: Tag,
}

/// A tag to be deleted.
pub(super) struct DeleteTag {
    endpoint: EndpointId,
    key: String,
}

pub(super) async fn set(
    State(Management { admin, .. }): State<Management>,
    Asked { caller, request: SetTag { endpoint, tag } }: Asked<SetTag>,
) -> Answered<Nothing> {
    Ok(Answer::done(admin.set_tag(&caller, &endpoint, tag).await?))
}

pub(super) async fn delete(
    State(Management { admin, .. }): State<Management>,
    Asked { caller, request: DeleteTag { endpoint, key } }: Asked<DeleteTag>,
) -> Answered<Nothing> {
    Ok(Answer::done(admin.delete_tag(&caller, &endpoint, &key).await?))
}

impl Shape for SetTag {
    fn read(fields: &mut Fields) -> Option<Self> {
        let endpoint = fields.required_id("endpoint_id", endpoints::ENTITY, EndpointId::parse);
        let tag = tag(fields);
        Some(Self { endpoint: endpoint?, tag: tag? })
    }
}

impl Shape for DeleteTag {
    fn read(fields: &mut Fields) -> Option<Self> {
        let endpoint = fields.required_id("endpoint_id", endpoints::ENTITY, EndpointId::parse);
        let key = fields.required_text("key");
        Some(Self { endpoint: endpoint?, key: key? })
    }
}

/// A tag, of an endpoint or of an experiment. Its value may be empty.
pub(super) fn tag(fields: &mut Fields) -> Option<Tag> {
    let key = fields.required_text("key");
    let value = fields.text("value").unwrap_or_default();
    Some(Tag { key: key?, value })
}
