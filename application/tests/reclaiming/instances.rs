//! Objects of other instances.

use dittofs_domain::{
    Epoch, ObjectId, PlaceId,
    plan::{ObjectRecord, ObjectState},
};

use crate::world::World;

const LIVING: Epoch = Epoch(900);
const ENDED: Epoch = Epoch(901);

#[tokio::test(start_paused = true)]
async fn an_object_that_a_living_instance_writes_is_not_deleted() {
    let of = |id, owner| ObjectRecord { id, state: ObjectState::Writing, owner, bytes: 0, place: PlaceId::HOME };
    let (kept, left) = (of(ObjectId(1), LIVING), of(ObjectId(2), ENDED));
    let world = World::new().await.restarted_beside(LIVING, &[kept, left]).await;
    world.pass(600).await;
    let objects: Vec<ObjectId> = world.objects().await.into_iter().map(|(object, _)| object).collect();
    assert_eq!(objects, [kept.id], "only the instance of the other one has ended");
}
