//! Reads `~/.aws/config` and `~/.aws/credentials`, for settings that neither options nor the environment have.

use std::path::PathBuf;

/// Returns the settings of the profile in use: region, endpoint, keys and token, under the names of the store's options.
pub(super) fn settings(profile: Option<&String>) -> Vec<(&'static str, String)> {
    let profile =
        profile.cloned().or_else(|| std::env::var("AWS_PROFILE").ok()).unwrap_or_else(|| "default".to_owned());
    let mut found = Vec::new();
    if let Some(text) = read("AWS_SHARED_CREDENTIALS_FILE", "credentials") {
        for key in ["aws_access_key_id", "aws_secret_access_key", "aws_session_token"] {
            found.extend(value(&text, &[&profile], key).map(|value| (key, value)));
        }
    }
    if let Some(text) = read("AWS_CONFIG_FILE", "config") {
        let sections = [profile.as_str(), &format!("profile {profile}")];
        found.extend(value(&text, &sections, "region").map(|region| ("aws_region", region)));
        // The variable is one of the AWS SDKs.
        let ignored =
            std::env::var("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS").is_ok_and(|v| v.eq_ignore_ascii_case("true"));
        let endpoint = value(&text, &sections, "endpoint_url").filter(|_| !ignored);
        found.extend(endpoint.map(|endpoint| ("aws_endpoint_url", endpoint)));
    }
    found
}

fn read(variable: &str, name: &str) -> Option<String> {
    let path = std::env::var_os(variable).map(PathBuf::from);
    let path = path.or_else(|| Some(std::env::home_dir()?.join(".aws").join(name)))?;
    std::fs::read_to_string(path).ok()
}

/// Returns the value of a key in one of these sections of an INI file.
fn value(text: &str, sections: &[&str], key: &str) -> Option<String> {
    let mut inside = false;
    for line in text.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            inside = sections.contains(&section.trim());
        } else if inside
            && let Some((name, value)) = line.split_once('=')
            && name.trim() == key
        {
            return Some(value.trim().to_owned());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::value;

    #[test]
    fn keys_belong_to_sections() {
        let text = "[other]\nregion = us\n[profile mine]\n# region = no\nregion=eu-west-1\n";
        assert_eq!(value(text, &["mine", "profile mine"], "region").as_deref(), Some("eu-west-1"));
        assert_eq!(value(text, &["default"], "region"), None);
    }
}
