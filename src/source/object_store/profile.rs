//! Reads `~/.aws/config` and `~/.aws/credentials` by botocore's rules, for settings that neither options nor the
//! environment have.

use std::collections::HashMap;
use std::env;
use std::path::PathBuf;

/// Settings of a profile, and their names among the store's options.
const SETTINGS: [(&str, &str); 5] = [
    ("region", "aws_region"),
    ("endpoint_url", "aws_endpoint_url"),
    ("aws_access_key_id", "aws_access_key_id"),
    ("aws_secret_access_key", "aws_secret_access_key"),
    ("aws_session_token", "aws_session_token"),
];

/// Returns the settings of the profile in use: region, endpoint, keys and token, under the names of the store's options.
pub(super) fn settings(profile: Option<&String>) -> Vec<(&'static str, String)> {
    let variable = || env::var("AWS_DEFAULT_PROFILE").or_else(|_| env::var("AWS_PROFILE")).ok();
    let profile = profile.cloned().or_else(variable).unwrap_or_else(|| "default".to_owned());
    let config = read("AWS_CONFIG_FILE", "config");
    let mut found = section(&config, |header| in_config(header) == Some(&profile));
    // The file of credentials wins.
    let credentials = read("AWS_SHARED_CREDENTIALS_FILE", "credentials");
    found.extend(section(&credentials, |header| header.trim() == profile));
    // The setting of one service wins over the general one.
    if let Some(url) = found.get("services").and_then(|services| endpoint_of_s3(&config, services)) {
        found.insert("endpoint_url".to_owned(), url);
    }
    let is_true = |value: &String| value.eq_ignore_ascii_case("true");
    let variable = env::var("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS").ok();
    if variable.as_ref().or(found.get("ignore_configured_endpoint_urls")).is_some_and(is_true) {
        found.remove("endpoint_url");
    }
    SETTINGS.iter().filter_map(|&(key, option)| Some((option, found.remove(key)?))).collect()
}

/// Returns true if one of the files has settings of this profile.
pub(super) fn exists(profile: &str) -> bool {
    !section(&read("AWS_CONFIG_FILE", "config"), |header| in_config(header) == Some(profile)).is_empty()
        || !section(&read("AWS_SHARED_CREDENTIALS_FILE", "credentials"), |header| header.trim() == profile).is_empty()
}

/// Returns the text of a file; the empty text if there is none.
fn read(variable: &str, name: &str) -> String {
    let home = env::home_dir();
    let path = match (env::var_os(variable).map(PathBuf::from), home) {
        (Some(path), Some(home)) => path.strip_prefix("~").map_or_else(|_| path.clone(), |rest| home.join(rest)),
        (Some(path), None) => path,
        (None, Some(home)) => home.join(".aws").join(name),
        (None, None) => return String::new(),
    };
    std::fs::read_to_string(path).unwrap_or_default()
}

/// Returns the profile that a section of the config file describes, if it is one: `default`, or `profile NAME`.
fn in_config(header: &str) -> Option<&str> {
    let header = header.trim();
    if header == "default" {
        return Some(header);
    }
    let name = header.strip_prefix("profile")?;
    name.starts_with(char::is_whitespace).then(|| name.trim().trim_matches(['"', '\'']))
}

/// Returns the endpoint of S3 in a section `services NAME`: an indented line below `s3 =`.
fn endpoint_of_s3(text: &str, services: &str) -> Option<String> {
    let is_header = |line: &&str| {
        line.strip_prefix("[services")
            .and_then(|rest| rest.split_once(']'))
            .is_some_and(|(name, _)| name.trim() == services)
    };
    let section = text.lines().skip_while(|line| !is_header(line)).skip(1).take_while(|line| !line.starts_with('['));
    let of_s3 = section.skip_while(|line| {
        line.split_once('=').is_none_or(|(key, _)| key.trim() != "s3" || key.starts_with(char::is_whitespace))
    });
    let mut settings =
        of_s3.skip(1).take_while(|line| line.starts_with(char::is_whitespace)).filter_map(|line| line.split_once('='));
    settings.find(|(key, _)| key.trim() == "endpoint_url").map(|(_, url)| url.trim().to_owned())
}

/// Returns the keys, in lower case, and values of the sections with this header in an INI file.
fn section(text: &str, is_wanted: impl Fn(&str) -> bool) -> HashMap<String, String> {
    let (mut inside, mut found) = (false, HashMap::new());
    for line in text.lines() {
        // An indented line continues the value before it, such as the settings of one service.
        if line.starts_with(['#', ';']) || line.starts_with(char::is_whitespace) {
            continue;
        }
        if let Some((header, _)) = line.strip_prefix('[').and_then(|line| line.rsplit_once(']')) {
            inside = is_wanted(header);
        } else if inside && let Some((key, value)) = line.split_once(['=', ':']) {
            found.insert(key.trim().to_lowercase(), value.trim().to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_those_of_botocore() {
        let text = "[other]\nregion = us\n[profile \"mine\"] # a comment\n# region = no\ns3 =\n  region = nested\n\
                    Region: eu-west-1\nendpoint_url=http://localhost:9000/\n[profile  wide]\nregion = wide\n[mine]\nregion = bare\n";
        let of = |profile: &str| section(text, |header| in_config(header) == Some(profile));
        assert_eq!(of("mine")["region"], "eu-west-1");
        assert_eq!(of("mine")["endpoint_url"], "http://localhost:9000/");
        assert_eq!(of("wide")["region"], "wide");
        assert!(of("default").is_empty() && of("other").is_empty());
        assert_eq!(section(text, |header| header == "other")["region"], "us");
        let services = "[services a]\nec2 =\n  endpoint_url = http://ec2\ns3 =\n  x = y\n  endpoint_url = http://s3/\n\
                        [services b]\nec2 =\n  endpoint_url = http://ec2\n[profile p]\ns3 =\n  endpoint_url = http://no\n";
        assert_eq!(endpoint_of_s3(services, "a").as_deref(), Some("http://s3/"));
        assert_eq!(endpoint_of_s3(services, "b"), None);
        assert_eq!(endpoint_of_s3(services, "c"), None);
    }
}
