//! What an examination of Graph may find: a closed list.

use convene_kit::finding::{
    Kind,
    Severity::{self, Failure, Ok, Warning},
};

const PROVIDER: &str = "PROVIDER";
const PERMISSION: &str = "PERMISSION";
const USER: &str = "USER";
const CLOCK: &str = "CLOCK";

const fn kind(
    code: &'static str,
    severity: Severity,
    about: &'static str,
    says: &'static str,
    remedy: &'static str,
) -> Kind {
    Kind {
        code,
        severity,
        about,
        says,
        remedy,
    }
}

macro_rules! kinds {
    ($($name:ident: $severity:ident $about:ident, $says:literal, $remedy:literal;)+) => {
        $(pub const $name: Kind = kind(stringify!($name), $severity, $about, $says, $remedy);)+

        /// All of them.
        pub const FINDINGS: &[Kind] = &[$($name),+];
    };
}

kinds! {
    TOKEN_GRANTED: Ok PROVIDER, "{subject} grants the application tokens", "";
    PROVIDER_UNREACHABLE: Failure PROVIDER, "{subject} cannot be reached: {detail}",
        "Check base, beta_base and token_url in [provider], name resolution, and firewalls on the way; the addresses are called directly, without a proxy.";
    PROVIDER_FAILS: Failure PROVIDER, "{subject} answers with a failure of its own: {detail}",
        "Wait and examine again. Microsoft 365 admin center > Health > Service health says what is known.";
    PROVIDER_ANSWER_UNKNOWN: Failure PROVIDER, "{subject} answers something that is not Graph's: {detail}",
        "Check that base and beta_base in [provider] end with the version, as https://graph.microsoft.com/v1.0, and that token_url ends with /oauth2/v2.0/token.";
    PROVIDER_THROTTLED: Warning PROVIDER, "{subject} answers 429 and wants a pause of {seconds} s",
        "Wait and examine again. When it stays: find out who else uses this application or these mailboxes; /metrics counts our own requests in convene_provider_requests_total.";
    THROTTLING_NEAR: Warning PROVIDER, "{percent} % of a limit of {subject} is used",
        "Find out who else uses this application or these mailboxes; at 100 % requests are answered 429.";
    TOKEN_SECRET_WRONG: Failure PROVIDER, "the client secret is wrong ({detail})",
        "Entra admin center > App registrations > {application} > Certificates & secrets > New client secret; put its Value (not its Secret ID) into CONVENE_PROVIDER__CLIENT_SECRET and restart.";
    TOKEN_SECRET_EXPIRED: Failure PROVIDER, "the client secret has expired ({detail})",
        "Entra admin center > App registrations > {application} > Certificates & secrets > New client secret; put its Value into CONVENE_PROVIDER__CLIENT_SECRET and restart.";
    TOKEN_SECRET_MISSING: Failure PROVIDER, "no client secret arrived ({detail})",
        "Set CONVENE_PROVIDER__CLIENT_SECRET, or client_secret in [provider], and restart.";
    TOKEN_APPLICATION_UNKNOWN: Failure PROVIDER, "the directory does not know the application {application} ({detail})",
        "Copy Application (client) ID from Entra admin center > App registrations into provider.client_id; if it belongs to another directory, an administrator of this one consents to it first.";
    TOKEN_APPLICATION_DISABLED: Failure PROVIDER, "the application {application} is disabled ({detail})",
        "Entra admin center > Enterprise applications > {application} > Properties > Enabled for users to sign-in: Yes.";
    TOKEN_TENANT_UNKNOWN: Failure PROVIDER, "there is no such directory ({detail})",
        "Copy Directory (tenant) ID from Entra admin center > Overview into provider.tenant and into provider.token_url.";
    TOKEN_BLOCKED: Failure PROVIDER, "a Conditional Access policy blocks the application ({detail})",
        "Entra admin center > Protection > Conditional Access > Policies: exclude the workload identity {application}, or allow the addresses that Convene calls from.";
    TOKEN_REQUEST_REFUSED: Failure PROVIDER, "the token endpoint does not take the request ({detail})",
        "Check that provider.token_url is https://login.microsoftonline.com/<tenant>/oauth2/v2.0/token for the directory in provider.tenant.";
    TOKEN_REFUSED: Failure PROVIDER, "the token endpoint refuses ({detail})",
        "Look the number up at https://login.microsoftonline.com/error; Entra admin center > Monitoring > Sign-in logs > Service principal sign-ins shows the attempt.";
    TOKEN_NOT_TAKEN: Failure PROVIDER, "{subject} does not take the token that the token endpoint grants: {detail}",
        "Check that base, beta_base and token_url in [provider] belong to the same cloud.";
    TOKEN_OF_ANOTHER_TENANT: Failure PROVIDER, "tokens come from the directory {issuer}, and provider.tenant names another",
        "Put the same Directory (tenant) ID into provider.tenant and into provider.token_url.";
    PERMISSION_GRANTED: Ok PERMISSION, "granted: {why}", "";
    PERMISSION_MISSING: Failure PERMISSION, "missing; without it no meeting is made: {why}",
        "Entra admin center > App registrations > {application} > API permissions > Add a permission > Microsoft Graph > Application permissions > {subject}, then Grant admin consent. It counts at once after the next examination, otherwise within the hour.";
    RECORDING_PERMISSION_MISSING: Warning PERMISSION, "missing; without it nothing is recorded: {why}",
        "To record: Entra admin center > App registrations > {application} > API permissions > Add a permission > Microsoft Graph > Application permissions > {subject}, then Grant admin consent.";
    PERMISSION_IN_EXCESS: Warning PERMISSION, "granted and not needed: whoever gets hold of the client secret can use it",
        "Entra admin center > App registrations > {application} > API permissions > {subject} > Remove permission, and revoke its admin consent.";
    PERMISSIONS_UNREADABLE: Warning PROVIDER, "the token does not say which permissions it carries",
        "Compare Entra admin center > App registrations > {application} > API permissions with the list in schema/health-findings.md.";
    POLICY_GRANTED: Ok USER, "an application access policy covers this organizer", "";
    POLICY_MISSING: Failure USER, "no application access policy covers this organizer: its meetings fail with NO_ACCESS_POLICY",
        "In PowerShell, as a Teams administrator: Connect-MicrosoftTeams; New-CsApplicationAccessPolicy -Identity Convene -AppIds '{application}' -Description 'Convene makes online meetings'; Grant-CsApplicationAccessPolicy -PolicyName Convene -Identity '{subject}'. Leave New-… out when the policy is there; -Global instead of -Identity covers everybody. It takes up to 30 minutes.";
    MEETINGS_REFUSED: Failure USER, "this organizer's online meetings are refused: {detail}",
        "In PowerShell: Get-CsOnlineUser -Identity '{subject}' shows whether the user has Teams and which ApplicationAccessPolicy; give a Teams licence and the policy.";
    CALENDAR_OPEN: Ok USER, "this organizer's calendar is open to the application", "";
    CALENDAR_REFUSED: Failure USER, "this organizer's calendar is closed to the application, whose permission would do: {detail}",
        "Exchange restricts the application. In PowerShell: Connect-ExchangeOnline; Test-ApplicationAccessPolicy -Identity '{subject}' -AppId '{application}'; where roles are used: Test-ServicePrincipalAuthorization -Identity '{application}' -Resource '{subject}'. Add the user to the group that the restriction names.";
    USER_UNKNOWN: Failure USER, "the provider knows no mailbox of this name",
        "Correct the host's providerUser to the object id of a user with an Exchange Online licence: Entra admin center > Users > Object ID.";
    USER_NOT_EXAMINED: Warning USER, "not examined: {detail}", "Examine this one alone: convene doctor --user '{subject}'.";
    USERS_LEFT_OUT: Warning PROVIDER, "at least {count} organizers were not looked at; one examination takes {max}",
        "Name those that matter: convene doctor --user, or hostIds of providerHealth.";
    NO_USERS: Warning PROVIDER, "no organizer was examined: access policies and calendars are unknown",
        "Make a host with its providerUser, or name a user: convene doctor --user.";
    BETA_ANSWERS: Ok PROVIDER, "{subject} answers; recording is started and stopped there", "";
    BETA_UNAVAILABLE: Warning PROVIDER, "beta is not answered at {subject}: {detail}; recordings cannot be started",
        "Check provider.beta_base: https://graph.microsoft.com/beta. National clouds have a beta of their own.";
    CLOCK_AGREES: Ok CLOCK, "our clock and the provider's agree within {seconds} s", "";
    CLOCK_OFF: Warning CLOCK, "our clock is {seconds} s {direction} the provider's",
        "Keep the machine's time by NTP: timedatectl set-ntp true; then timedatectl status.";
    CLOCK_WRONG: Failure CLOCK, "our clock is {seconds} s {direction} the provider's: appointments begin at a wrong time",
        "Keep the machine's time by NTP: timedatectl set-ntp true; then timedatectl status. In development with moved business time: convene clock reset.";
}
