//! Applying plans: one call for each, or for several that change the same directory or the same object.

mod code;
mod fold;

pub(crate) use code::{reason_column, state_column};

use std::{collections::HashMap, sync::Arc, time::Instant};

use dittofs_domain::{
    Node, NodeId, OpId, Tree,
    plan::{Applied, Change, Expectation, PLAN_STEPS_MAX, Plan, Touched, update},
};
use dittofs_ports::ApplyError;
use sqlx::postgres::PgRow;
use tokio::sync::oneshot;

use crate::{
    claims::Claim,
    connections::Connections,
    fault::Fault,
    lanes::{Caller, Lane, lane_of},
    node::{self, Columns},
    numbers::unsigned,
    statements::tag,
    view::NODE_AT,
};
use code::Code;

/// How often a call is made again that another one was in the way of.
const DEADLOCKS_MAX: usize = 10;

/// A plan whose answer is waited for.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) plan: Plan,
    pub(crate) op: Option<OpId>,
    /// Until when it waits to be sent, while the database serves no calls.
    pub(crate) deadline: Instant,
    /// Whether an answer was lost: a refusal when it is sent again does not say that it was not applied before.
    pub(crate) may_be_applied: bool,
    pub(crate) answer: oneshot::Sender<Result<Applied, ApplyError>>,
}

/// Applies plans.
#[derive(Debug)]
pub(crate) struct Applier {
    connections: Arc<Connections>,
    claim: Arc<Claim>,
}

/// The outcome of one plan of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Applied,
    /// An expectation failed, or the operation is known.
    Conflict,
}

/// Whether the database serves calls. Where it does not, each would take its whole time-out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Served {
    Yes,
    No,
}

impl Served {
    fn by(fault: &Fault) -> Served {
        match fault {
            // Refused is also what waits for a row for too long.
            Fault::NotSent(_) | Fault::Lost { .. } | Fault::Refused(_) => Served::No,
            Fault::Deadlock(_)
            | Fault::Full(_)
            | Fault::Malformed(_)
            | Fault::Raced(_)
            | Fault::Fenced(_)
            | Fault::Damaged(_) => Served::Yes,
        }
    }
}

impl Applier {
    pub(crate) fn new(connections: Arc<Connections>, claim: Arc<Claim>) -> Applier {
        Applier { connections, claim }
    }

    /// Applies a plan. It goes on when its caller does not wait any longer: what was sent is carried out anyway.
    pub(crate) async fn apply(self: &Arc<Self>, plan: Plan, op: Option<OpId>) -> Result<Applied, ApplyError> {
        if plan.steps() > PLAN_STEPS_MAX {
            return Err(ApplyError::Malformed);
        }
        // One server has the share: no lease is kept, and so none is as a plan expects it.
        if plan.expectations.iter().any(|expectation| matches!(expectation, Expectation::LeaseIs { .. })) {
            return Err(ApplyError::Conflict);
        }
        let lane = lane_of(&plan);
        let (answer, answered) = oneshot::channel();
        let pending = Pending { plan, op, deadline: self.connections.deadline(), may_be_applied: false, answer };
        let this = Arc::clone(self);
        match lane {
            Some(lane) => {
                if let Some(first) = self.claim.lanes.enter(lane, pending) {
                    self.connections.runtime().spawn(async move { this.run_lane(lane, first).await });
                }
            }
            None => {
                self.connections.runtime().spawn(async move { this.run(vec![pending]).await });
            }
        }
        let gone = || ApplyError::Unknown("the metadata store is being closed".into());
        answered.await.unwrap_or_else(|_| Err(gone()))
    }

    /// Calls of one lane, one after another, as long as plans come. While the database serves none, no plan waits for
    /// the time-outs of many calls.
    async fn run_lane(self: Arc<Self>, lane: Lane, first: Pending) {
        let mut caller = Caller::new(&self.claim.lanes, lane);
        let mut plans = vec![first];
        while !plans.is_empty() {
            if self.run(plans).await == Served::No {
                refuse(caller.overdue(), not_served());
            }
            plans = caller.next();
        }
    }

    /// Applies plans in one call, or one by one if one of them is none.
    async fn run(&self, plans: Vec<Pending>) -> Served {
        let Err((plans, fault)) = self.call(plans).await else { return Served::Yes };
        if plans.len() == 1 || !matches!(fault, Fault::Malformed(_) | Fault::Raced(_)) {
            let served = Served::by(&fault);
            refuse(plans, fault);
            return served;
        }
        let mut served = Served::Yes;
        for plan in plans {
            if served == Served::No && plan.deadline <= Instant::now() {
                refuse(vec![plan], not_served());
                continue;
            }
            served = Served::Yes;
            if let Err((plan, fault)) = self.call(vec![plan]).await {
                served = Served::by(&fault);
                refuse(plan, fault);
            }
        }
        served
    }

    /// Makes a call until it is answered. Where the answer does not come, its session is ended, and the plans that
    /// have a name are sent again.
    async fn call(&self, mut plans: Vec<Pending>) -> Result<(), (Vec<Pending>, Fault)> {
        let deadline = self.connections.deadline();
        let mut deadlocks = 0;
        if let Err(fault) = self.connections.end_lost(deadline).await {
            return Err((plans, fault));
        }
        loop {
            let named: Vec<(&Plan, Option<OpId>)> = plans.iter().map(|pending| (&pending.plan, pending.op)).collect();
            let code = match Code::of(&named, self.claim.folding()) {
                Ok(code) => code,
                Err(_) => return Err((plans, Fault::Malformed("the plan contradicts itself".into()))),
            };
            let statement = code.statement(&self.claim);
            let rows = match self.claim.note(self.connections.once(&statement, deadline).await) {
                Ok(rows) => rows,
                Err(Fault::Deadlock(_)) if deadlocks < DEADLOCKS_MAX => {
                    deadlocks += 1;
                    continue;
                }
                Err(fault @ Fault::Lost { .. }) => {
                    plans = self.after_loss(plans, fault, deadline).await?;
                    if plans.is_empty() {
                        return Ok(());
                    }
                    continue;
                }
                Err(fault) => return Err((plans, fault)),
            };
            answer(plans, &code, &rows);
            return Ok(());
        }
    }

    /// Returns the plans that are sent again.
    async fn after_loss(
        &self,
        plans: Vec<Pending>,
        fault: Fault,
        deadline: Instant,
    ) -> Result<Vec<Pending>, (Vec<Pending>, Fault)> {
        if Instant::now() >= deadline {
            return Err((plans, fault));
        }
        let cause = fault.to_string();
        let (mut named, nameless): (Vec<Pending>, Vec<Pending>) = plans.into_iter().partition(|plan| plan.op.is_some());
        for Pending { answer, .. } in nameless {
            // Whoever asked may have gone.
            answer.send(Err(ApplyError::Unknown(cause.clone().into()))).ok();
        }
        if named.is_empty() {
            return Ok(named);
        }
        for plan in &mut named {
            plan.may_be_applied = true;
        }
        // Not before its session has ended: until then it may still be applied.
        match self.connections.end_lost(deadline).await {
            Ok(()) => Ok(named),
            Err(_) => Err((named, fault)),
        }
    }
}

/// Why plans are refused that were not sent.
fn not_served() -> Fault {
    Fault::NotSent("the database has served none of the calls before it".into())
}

/// Answers plans that were not applied, or of which nobody knows.
fn refuse(plans: Vec<Pending>, fault: Fault) {
    let cause = fault.to_string();
    for Pending { answer, may_be_applied, .. } in plans {
        let source = cause.clone().into();
        let error = match &fault {
            Fault::NotSent(_) | Fault::Refused(_) | Fault::Deadlock(_) | Fault::Fenced(_) if !may_be_applied => {
                ApplyError::Unavailable(source)
            }
            Fault::NotSent(_) | Fault::Refused(_) | Fault::Deadlock(_) | Fault::Fenced(_) | Fault::Lost { .. } => {
                ApplyError::Unknown(source)
            }
            Fault::Full(_) => ApplyError::Full,
            Fault::Malformed(_) => ApplyError::Malformed,
            Fault::Raced(_) => ApplyError::Conflict,
            Fault::Damaged(_) => ApplyError::Corrupt(source),
        };
        // Whoever asked may have gone.
        answer.send(Err(error)).ok();
    }
}

/// Answers the plans of a call that went through. What was changed stays so, even where a row that came back makes no
/// sense.
fn answer(plans: Vec<Pending>, code: &Code, rows: &[PgRow]) {
    let (mut nodes, outcomes, tree) = match read(code, rows, plans.len()) {
        Ok(read) => read,
        Err(fault) => {
            let cause = fault.to_string();
            for Pending { answer, .. } in plans {
                answer.send(Err(ApplyError::Unknown(cause.clone().into()))).ok();
            }
            return;
        }
    };
    for (Pending { plan, answer, .. }, outcome) in plans.into_iter().zip(outcomes) {
        let applied = match outcome {
            Outcome::Applied => applied(&plan, &mut nodes, tree).map_err(|fault| ApplyError::Unknown(fault.into())),
            Outcome::Conflict => Err(ApplyError::Conflict),
        };
        answer.send(applied).ok();
    }
}

/// Rows of nodes before the call, outcomes in the order of the plans, and the living tree.
type Answer = (HashMap<NodeId, Arc<Node>>, Vec<Outcome>, Tree);

fn read(code: &Code, rows: &[PgRow], plans: usize) -> Result<Answer, Fault> {
    let damaged = || Fault::damaged("the answer to a plan makes no sense");
    let (mut nodes, mut outcomes, mut tree) = (HashMap::new(), Vec::with_capacity(plans), Tree::FIRST);
    for row in rows {
        let mut columns = Columns::new(row, 0);
        let which: i16 = columns.take()?;
        let (place, outcome, living): (i64, Option<i64>, Option<i64>) =
            (columns.take()?, columns.take()?, columns.take()?);
        match which {
            tag::NODE => {
                let id = code.node_at(place).ok_or_else(damaged)?;
                nodes.insert(id, node::read(row, NODE_AT)?.ok_or_else(damaged)?);
            }
            tag::OUTCOME => {
                outcomes.push(if outcome == Some(0) { Outcome::Applied } else { Outcome::Conflict });
                let living = living.and_then(|living| u32::try_from(unsigned(living)).ok());
                tree = Tree(living.ok_or_else(damaged)?);
            }
            _ => return Err(damaged()),
        }
    }
    if outcomes.len() == plans { Ok((nodes, outcomes, tree)) } else { Err(damaged()) }
}

/// Computes what a plan that was applied has changed: the function did the same.
fn applied(plan: &Plan, nodes: &mut HashMap<NodeId, Arc<Node>>, tree: Tree) -> Result<Applied, Fault> {
    let mut touched: Vec<Touched> = Vec::new();
    for id in plan.touches() {
        touched.push(Touched { id, before: nodes.get(&id).cloned(), after: None });
    }
    for change in &plan.changes {
        match change {
            Change::InsertNode(node) => {
                let node = Node { since: tree, ..Node::clone(node) };
                nodes.insert(node.id, Arc::new(node));
            }
            Change::UpdateNode(id, changes) => {
                let node = nodes.get_mut(id).ok_or_else(|| Fault::damaged(format!("node {id} was not returned")))?;
                let changed = update(Arc::make_mut(node), changes, plan.now, tree);
                changed.map_err(|_| Fault::damaged(format!("a count of node {id} is out of range")))?;
            }
            Change::DeleteNode(id) => {
                nodes.remove(id);
            }
            _ => {}
        }
    }
    for one in &mut touched {
        one.after = nodes.get(&one.id).cloned();
    }
    Ok(Applied { nodes: touched.into() })
}
