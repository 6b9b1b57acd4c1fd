//! The AADSTS errors of client credentials, each with its finding (learn.microsoft.com, "Microsoft Entra authentication and authorization error codes").

use convene_kit::finding::Kind;

use super::findings as found;

const SECRET_WRONG: [&str; 1] = ["7000215"];
const SECRET_EXPIRED: [&str; 1] = ["7000222"];
/// Neither secret nor assertion in the request.
const SECRET_MISSING: [&str; 2] = ["7000216", "7000218"];
/// Not found in the directory; no service principal in it.
const APPLICATION_UNKNOWN: [&str; 2] = ["700016", "7000229"];
const APPLICATION_DISABLED: [&str; 1] = ["7000112"];
/// Not found; no identifier; neither a DNS name nor known; nothing that tells the tenant.
const TENANT_UNKNOWN: [&str; 5] = ["90002", "900021", "900023", "50059", "50128"];
const BLOCKED: [&str; 1] = ["53003"];
/// Missing fields, grant type, scope, resource: nothing that an administrator grants.
const REQUEST: [&str; 7] = [
    "90014", "900144", "900561", "70003", "70011", "1002012", "500011",
];

/// The finding for a code such as `AADSTS7000215`, or the status where there was none.
pub fn kind(code: &str) -> Kind {
    let number = code.strip_prefix("AADSTS").unwrap_or_default();
    let is = |codes: &[&str]| codes.contains(&number);
    match () {
        () if is(&SECRET_WRONG) => found::TOKEN_SECRET_WRONG,
        () if is(&SECRET_EXPIRED) => found::TOKEN_SECRET_EXPIRED,
        () if is(&SECRET_MISSING) => found::TOKEN_SECRET_MISSING,
        () if is(&APPLICATION_UNKNOWN) => found::TOKEN_APPLICATION_UNKNOWN,
        () if is(&APPLICATION_DISABLED) => found::TOKEN_APPLICATION_DISABLED,
        () if is(&TENANT_UNKNOWN) => found::TOKEN_TENANT_UNKNOWN,
        () if is(&BLOCKED) => found::TOKEN_BLOCKED,
        () if is(&REQUEST) => found::TOKEN_REQUEST_REFUSED,
        () => found::TOKEN_REFUSED,
    }
}
