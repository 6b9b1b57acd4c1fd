//! The Kubernetes manifests: a container for each role, reached by those that call it.

use std::{collections::BTreeSet, path::Path};

use convene::{Node, config::Config};
use serde_json::Value;

use crate::{
    callers, documents, files, is_known, list, option, parses, roles, scale_out, text, texts,
};

/// Who may read metrics.
const PROMETHEUS: &str = "prometheus";

fn all() -> Vec<Value> {
    let files = files("kubernetes", ".yaml");
    files.iter().flat_map(|file| documents(file)).collect()
}

/// Objects of a kind, by name.
fn of(kind: &str) -> Vec<(String, Value)> {
    let all = all().into_iter().filter(|one| one["kind"] == kind);
    all.map(|one| (text(&one, "/metadata/name").to_owned(), one))
        .collect()
}

fn named(kind: &str, name: &str) -> Value {
    let mut all = of(kind).into_iter();
    let found = all.find(|(one, _)| one == name);
    found.unwrap_or_else(|| panic!("no {kind} {name}")).1
}

/// The pod of a deployment or job, and its only container.
fn pod(of: &Value) -> (&Value, &Value) {
    let pod = of.pointer("/spec/template/spec").unwrap();
    assert_eq!(list(pod, "/containers").len(), 1);
    (pod, &pod["containers"][0])
}

fn pods() -> Vec<(String, Value)> {
    [of("Deployment"), of("Job")].concat()
}

#[test]
fn nothing_else_is_there() {
    let kinds: BTreeSet<_> = all().iter().map(|one| one["kind"].to_string()).collect();
    let known = [
        "Deployment",
        "Job",
        "NetworkPolicy",
        "PersistentVolumeClaim",
        "PodDisruptionBudget",
        "Service",
    ];
    assert_eq!(kinds, known.map(|kind| format!("{kind:?}")).into());
    for kind in [
        "Deployment",
        "NetworkPolicy",
        "PodDisruptionBudget",
        "Service",
    ] {
        let there: BTreeSet<_> = of(kind).into_iter().map(|(name, _)| name).collect();
        let wanted = roles().into_iter().map(str::to_owned).collect();
        assert_eq!(there, wanted, "a {kind} for each role");
    }
}

#[test]
fn every_container_is_started_as_the_binary_wants_it() {
    for (name, object) in pods() {
        let (pod, container) = pod(&object);
        let arguments = texts(container, "/args");
        parses(&arguments);
        if object["kind"] == "Deployment" {
            assert_eq!(arguments[0], "serve");
            assert_eq!(option(&arguments, "--roles"), name);
            assert_eq!(object["spec"]["selector"]["matchLabels"], labels(&name));
        } else {
            assert_eq!(arguments[0], "migrate");
        }
        for variable in list(container, "/env") {
            is_known(text(variable, "/name"));
            let secret = text(variable, "/name").ends_with("URL");
            assert_eq!(variable["value"].is_null(), secret, "secrets by reference");
        }
        for (pointer, value) in [
            ("/securityContext/runAsNonRoot", true),
            ("/automountServiceAccountToken", false),
        ] {
            assert_eq!(pod.pointer(pointer), Some(&value.into()), "{name}");
        }
        let context = &container["securityContext"];
        assert_eq!(context["readOnlyRootFilesystem"], true);
        assert_eq!(context["allowPrivilegeEscalation"], false);
        assert_eq!(context["capabilities"]["drop"][0], "ALL");
    }
}

fn labels(role: &str) -> Value {
    serde_json::json!({ "app.kubernetes.io/name": role })
}

/// The provider's secret goes to the broker alone.
#[test]
fn a_role_is_given_its_own_secrets_only() {
    for (name, object) in pods() {
        let (pod, container) = pod(&object);
        let given = list(container, "/envFrom");
        assert_eq!(given.len(), usize::from(name == "meeting-broker"), "{name}");
        let secrets = list(pod, "/volumes").iter();
        let secrets = secrets.filter_map(|volume| volume.pointer("/secret/secretName")?.as_str());
        for secret in secrets {
            assert!(secret.ends_with(&format!("-{name}")), "{secret} of {name}");
        }
    }
}

#[test]
fn files_are_mounted_where_the_configuration_looks() {
    let config = scale_out();
    let folder = |path: &Path| path.parent().unwrap().display().to_string();
    let tls = config.tls.as_ref().unwrap();
    for (name, object) in pods() {
        let (pod, container) = pod(&object);
        let volumes: BTreeSet<_> = list(pod, "/volumes")
            .iter()
            .map(|volume| text(volume, "/name"))
            .collect();
        let mounts = list(container, "/volumeMounts");
        let at = |volume: &str| {
            let mount = mounts.iter().find(|mount| mount["name"] == volume);
            mount.map(|mount| text(mount, "/mountPath").to_owned())
        };
        for mount in mounts {
            assert!(volumes.contains(text(mount, "/name")), "{mount}");
        }
        let arguments = texts(container, "/args");
        assert_eq!(at("config").unwrap(), option(&arguments, "--config"));
        // The folder itself is the process's own, below what is mounted.
        assert_eq!(at("data").unwrap(), folder(&config.data));
        if object["kind"] == "Deployment" {
            assert_eq!(
                at("keys"),
                config.keys.file.as_deref().map(folder),
                "{name}"
            );
            for file in [&tls.ca, &tls.certificate, &tls.key] {
                assert_eq!(at("tls").unwrap(), folder(file));
            }
        }
    }
    let claim = named("PersistentVolumeClaim", "convene-artefacts");
    assert_eq!(claim["spec"]["accessModes"][0], "ReadWriteMany");
    let coordinator = named("Deployment", "recording-coordinator");
    let data = &pod(&coordinator).0["volumes"][0];
    assert_eq!(
        data["persistentVolumeClaim"]["claimName"],
        "convene-artefacts"
    );
}

/// The number of a container's port.
fn port(container: &Value, name: &str) -> Option<u64> {
    let mut ports = list(container, "/ports").iter();
    ports.find(|port| port["name"] == name)?["containerPort"].as_u64()
}

#[test]
fn ports_are_those_of_the_configuration() {
    let config = scale_out();
    for (role, deployment) in of("Deployment") {
        let (_, container) = pod(&deployment);
        let listens = config.listen.get(&role.parse().unwrap());
        let listens = listens.map(|address| u64::from(address.port()));
        assert_eq!(port(container, "grpc"), listens, "{role}");
        let door = (role == "gateway").then(|| u64::from(config.gateway.listen.port()));
        assert_eq!(port(container, "graphql"), door, "{role}");
        let mut variables = list(container, "/env").iter();
        let operations = variables.find(|one| one["name"] == "CONVENE_OPERATIONS__LISTEN");
        let listen: std::net::SocketAddr = text(operations.unwrap(), "/value").parse().unwrap();
        assert_eq!(port(container, "operations"), Some(listen.port().into()));

        let service = named("Service", &role);
        let served = &service["spec"]["ports"][0];
        let name = if role == "gateway" { "graphql" } else { "grpc" };
        assert_eq!(
            (&served["name"], &served["targetPort"]),
            (&name.into(), &name.into())
        );
        assert_eq!(served["port"].as_u64(), port(container, name));
        assert_eq!(service["spec"]["selector"], labels(&role));
        // Callers see every replica, and judge by themselves.
        let headless = service["spec"]["clusterIP"] == "None";
        assert_eq!(headless, role != "gateway");
        let budget = named("PodDisruptionBudget", &role);
        assert_eq!(budget["spec"]["selector"]["matchLabels"], labels(&role));
    }
}

/// Whoever calls a role is let in, and nobody else.
#[test]
fn the_network_lets_callers_in_only() {
    for (role, policy) in of("NetworkPolicy") {
        assert_eq!(policy["spec"]["podSelector"]["matchLabels"], labels(&role));
        let mut let_in = BTreeSet::new();
        for rule in list(&policy, "/spec/ingress") {
            let ports = list(rule, "/ports").iter().map(|port| text(port, "/port"));
            for port in ports {
                let from = list(rule, "/from").iter();
                let name = "/podSelector/matchLabels/app.kubernetes.io~1name";
                let from = from.map(|peer| text(peer, name));
                let_in.extend(from.map(|peer| (port.to_owned(), peer.to_owned())));
                assert!(!list(rule, "/from").is_empty() || port == "graphql");
            }
        }
        let callers = callers(&role).into_iter().map(|caller| ("grpc", caller));
        let wanted = callers.chain([("operations", PROMETHEUS)]);
        let wanted = wanted.map(|(port, from)| (port.to_owned(), from.to_owned()));
        assert_eq!(let_in, wanted.collect(), "{role}");
    }
}

/// What is probed is answered by a node that is well.
#[tokio::test(flavor = "multi_thread")]
async fn probes_are_answered() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut paths = BTreeSet::new();
    for (_, deployment) in of("Deployment") {
        let (_, container) = pod(&deployment);
        for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
            let asked = &container[probe]["httpGet"];
            assert_eq!(asked["port"], "operations");
            paths.insert(text(asked, "/path").to_owned());
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let config = Config::embedded(folder.path().to_owned());
    let node = Node::start(config).await.unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    for path in paths {
        let url = format!("{}{path}", node.operations_url());
        let answer = http.get(url).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
    }
    node.stop().await.unwrap();
}
