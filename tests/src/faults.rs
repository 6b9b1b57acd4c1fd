//! A story told again and again, each time with one thing going wrong: it has to end as if nothing had.

mod saboteur;

use std::{collections::BTreeMap, sync::Arc};

use convene_kit::probe::{Act, Point, Probe, Side, Verdict};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::World;
use saboteur::Saboteur;

/// Worlds that tell the story at the same time; most of a story is waiting.
const WORLDS: usize = 4;
/// Stories of one process are told one after the other: their worlds would take each other's time.
static STAGES: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
/// A point that a story passes often is disturbed the first so many times: workers look for jobs as often as they like.
const PASSES_MAX: usize = 3;
/// Plans of a story that an ordinary test run tries, spread evenly over all of them; with `FAULTS=all` in the environment, all.
const PLANS_MAX: usize = 40;

/// A telling that takes longer is mentioned.
const SLOW: std::time::Duration = std::time::Duration::from_secs(10);

/// What was tried.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tried {
    /// How often the story was told with something going wrong.
    pub disturbed: usize,
    /// How often it did not come to the place where it was to go wrong: how often workers look, for example, depends on time.
    pub missed: usize,
}

impl Tried {
    fn add(&mut self, reached: bool) {
        self.disturbed += 1;
        self.missed += usize::from(!reached);
    }
}

/// Tells the story once to learn the points that it passes, then once for each of them with a failure before, a failure after and, for effects,
/// the effect acted twice. Every time the end must be that of the undisturbed story, nothing may be left to do, and the provider must have been
/// given the same.
///
/// The story answers what its people see in the end; ids are left out of account.
pub async fn each_effect<S>(story: S) -> Tried
where
    S: AsyncFn(&World) -> Value,
{
    let _alone = STAGES.lock().await;
    let stage = Stage::new().await;
    let undisturbed = stage.tell(&story).await;
    let mut plans = Vec::new();
    for (point, passed) in stage.saboteur.passed() {
        for nth in 1..=passed.min(PASSES_MAX) {
            plans.push((point.clone(), nth, Verdict::Fail));
            if point.act == Act::Effect && point.side == Side::After {
                plans.push((point.clone(), nth, Verdict::Again));
            }
        }
    }
    let plans = spread(plans);
    let mut stages = vec![stage];
    while stages.len() < WORLDS {
        stages.push(Stage::new().await);
    }
    let lanes = stages.into_iter().enumerate().map(|(lane, stage)| {
        let plans: Vec<_> = plans.iter().skip(lane).step_by(WORLDS).cloned().collect();
        let (story, undisturbed) = (&story, &undisturbed);
        async move {
            let mut tried = Tried::default();
            for (point, nth, verdict) in plans {
                stage.saboteur.arm(Some((point.clone(), nth, verdict)));
                let end = stage.tell(story).await;
                assert_eq!(&end, undisturbed, "{verdict:?} at pass {nth} of: {point}");
                tried.add(stage.saboteur.struck());
            }
            stage.close().await;
            tried
        }
    });
    sum(join_all(lanes).await)
}

/// What the simulator does to a request.
fn provider_faults() -> Vec<Value> {
    vec![
        json!({"errorBefore": {"status": 503}}),
        json!({"errorAfter": {"status": 504}}),
        json!("dropBefore"),
        json!("dropAfter"),
        json!({"throttle": {"retryAfter": 0.05}}),
        json!("hollowAfter"),
    ]
}

/// The same around calls to the provider: for every kind of request that the story makes, the first one fails before or after its effect, is
/// dropped before or after it, is throttled, or is answered by a success that says nothing.
pub async fn each_request<S>(story: S) -> Tried
where
    S: AsyncFn(&World) -> Value,
{
    let _alone = STAGES.lock().await;
    let stage = Stage::new().await;
    let undisturbed = stage.tell(&story).await;
    let mut kinds = BTreeMap::new();
    for request in stage.world.provider.requests().await {
        let text = |name: &str| request[name].as_str().unwrap_or_default().to_owned();
        *kinds
            .entry((text("method"), kind(&text("path"))))
            .or_insert(0) += 1;
    }
    let mut plans = Vec::new();
    for (method, path) in kinds.into_keys() {
        for action in provider_faults() {
            plans.push(
                json!({"method": method, "pathContains": path, "times": 1, "action": action}),
            );
        }
    }
    let plans = spread(plans);
    let wrong = std::sync::Mutex::new(Vec::new());
    let mut stages = vec![stage];
    while stages.len() < WORLDS {
        stages.push(Stage::new().await);
    }
    let lanes = stages.into_iter().enumerate().map(|(lane, stage)| {
        let plans: Vec<_> = plans.iter().skip(lane).step_by(WORLDS).cloned().collect();
        let (story, undisturbed, wrong) = (&story, &undisturbed, &wrong);
        async move {
            let mut tried = Tried::default();
            for plan in plans {
                stage.saboteur.arm(None);
                stage.world.provider.fault(plan.clone()).await;
                let begun = std::time::Instant::now();
                let end = stage.tell(story).await;
                if outcome(&plan, end.clone()) != outcome(&plan, undisturbed.clone()) {
                    wrong.lock().unwrap().push(format!("after {plan}: {end}"));
                }
                slow(&plan.to_string(), begun);
                let left = stage.world.provider.faults().await;
                tried.add(left == 0);
                stage.world.provider.heal().await;
            }
            stage.close().await;
            tried
        }
    });
    let tried = sum(join_all(lanes).await);
    let wrong = wrong.into_inner().unwrap();
    assert!(
        wrong.is_empty(),
        "undisturbed: {undisturbed}\n{}",
        wrong.join("\n")
    );
    tried
}

/// What must not depend on a plan. Graph knows no key for joining a meeting and no list of calls: when the answer to a join is lost, that call stays
/// until its meeting ends, beside the one that is joined anew.
fn outcome(plan: &Value, mut end: Value) -> Value {
    let effects = ["errorAfter", "dropAfter", "hollowAfter"];
    let lost = effects
        .iter()
        .any(|effect| plan["action"].to_string().contains(effect));
    if lost && plan["method"] == "POST" && plan["pathContains"] == "/v1.0/communications/calls" {
        end["calls"] = Value::Null;
    }
    end
}

/// As many plans as this run tries.
fn spread<T>(plans: Vec<T>) -> Vec<T> {
    assert!(plans.len() > 20, "a story has places where it can go wrong");
    match std::env::var("FAULTS").as_deref() {
        Ok("all") => plans,
        _ => {
            let mut step = plans.len().div_ceil(PLANS_MAX);
            // A step that shares a factor with the number of kinds of fault would leave kinds out.
            while step.is_multiple_of(2) || step.is_multiple_of(3) {
                step += 1;
            }
            plans.into_iter().step_by(step).collect()
        }
    }
}

/// Says which plans take long: whatever went wrong there was waited for, not worked on.
fn slow(plan: &str, begun: std::time::Instant) {
    let took = begun.elapsed();
    if took > SLOW {
        eprintln!("took {took:?}: {plan}");
    }
}

/// A path with a star for each id, as fault rules want it.
fn kind(path: &str) -> String {
    let is_id = |part: &&str| part.len() > 20 || part.chars().any(|c| c.is_ascii_digit());
    let part = |part: &str| match part {
        "v1.0" => part.to_owned(),
        part if is_id(&part) => "*".to_owned(),
        part => part.to_owned(),
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

fn sum(tried: Vec<Tried>) -> Tried {
    tried.into_iter().fold(Tried::default(), |sum, one| Tried {
        disturbed: sum.disturbed + one.disturbed,
        missed: sum.missed + one.missed,
    })
}

/// A world that a story is told in.
struct Stage {
    world: World,
    saboteur: Arc<Saboteur>,
}

impl Stage {
    async fn new() -> Self {
        let saboteur = Arc::new(Saboteur::default());
        let probe: Arc<dyn Probe> = saboteur.clone();
        let stage = Self {
            world: World::disturbed(probe).await,
            saboteur,
        };
        // Counts what the story passes, not what the start did.
        stage.saboteur.arm(None);
        stage
    }

    /// Tells the story and waits until nothing is left to do; answers the end as people and the provider saw it.
    async fn tell(&self, story: &impl AsyncFn(&World) -> Value) -> Value {
        let before = self.provider().await;
        let mut seen = story(&self.world).await;
        self.world.drained().await;
        without_ids(&mut seen);
        let after = self.provider().await;
        let more = |name: usize| after[name] - before[name];
        json!({"seen": seen, "eventsMade": more(0), "eventsAlive": more(1), "recordings": more(2), "calls": more(3)})
    }

    /// Events made so far, events alive, recordings kept and calls open.
    async fn provider(&self) -> [i64; 4] {
        let there = self.world.provider.meetings().await;
        let list = |name: &str| there[name].as_array().unwrap().clone();
        let sum = |name: &str| -> i64 {
            let of = |meeting: &Value| meeting[name].as_i64().unwrap();
            list("meetings").iter().map(of).sum()
        };
        [
            there["createdEvents"].as_i64().unwrap(),
            list("events").len() as i64,
            sum("recordings"),
            sum("calls"),
        ]
    }

    async fn close(self) {
        self.saboteur.arm(None);
        self.world.audited().await;
        self.world.stop().await;
    }
}

/// Ids, versions and principals differ between tellings.
fn without_ids(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for own in ["id", "version", "decidedBy"] {
                members.remove(own);
            }
            members.values_mut().for_each(without_ids);
        }
        Value::Array(items) => items.iter_mut().for_each(without_ids),
        _ => {}
    }
}

/// For messages.
pub type Plan = (Point, usize, Verdict);
