// SPDX-License-Identifier: Apache-2.0
// scepctl server-cert apache | nginx: the configuration of a provisioning server that phones prove
// themselves to by their manufacturer's certificates.
#include <stdlib.h>
#include <string.h>

#include "conf/base/ossl.h"
#include "conf/hosts.h"
#include "conf/syntax.h"
#include "server/ctl/api.h"
#include "server/ctl/servers/client_cas.h"

#define PATH_LEN  4096
#define DIRECTORY "/srv/phones"

// What both configurations are made from.
struct site {
    char host[HOSTS_NAME_LEN + 1];
    char certificate[PATH_LEN];
    char key[PATH_LEN];
    const char *listen;    // "ADDR:PORT", or NULL
    const char *directory; // of the profiles
    struct client_cas cas;
};

static enum ctl_exit read_host(struct ctl *ctl, const char *text, struct site *site)
{
    struct err err = {0};
    struct view host = VIEW_EMPTY;
    if (text == NULL) {
        return ctl_complain(ctl, CTL_USAGE, "--cn HOST is missing, the name of the server");
    }
    if (hosts_of_common_name(view_of_text(text), &host, &err) != ERR_OK) {
        return ctl_complain(ctl, CTL_USAGE, "--cn: %s", err.text);
    }
    memcpy(site->host, host.data, host.len);
    return CTL_OK;
}

// A path that means itself in either program's configuration.
static enum ctl_exit check_path(struct ctl *ctl, const char *name, const char *path)
{
    bool is_plain = path[0] == '/' && strlen(path) < PATH_LEN;
    for (const char *at = path; is_plain && *at != '\0'; at++) {
        is_plain = *at > ' ' && *at <= '~' && strchr("\"'\\$%{};#<>", *at) == NULL;
    }
    return is_plain ? CTL_OK
                    : ctl_complain(ctl, CTL_USAGE,
                                   "%s: \"%s\" is not a path from / on without spaces, quotes and "
                                   "$ %% { } ; # < > \\",
                                   name, path);
}

static enum ctl_exit choose_path(struct ctl *ctl, const char *name, const char *given,
                                 char path[PATH_LEN])
{
    if (given == NULL) {
        return CTL_OK;
    }
    enum ctl_exit code = check_path(ctl, name, given);
    if (code == CTL_OK) {
        memcpy(path, given, strlen(given) + 1);
    }
    return code;
}

static enum ctl_exit read_paths(struct ctl *ctl, const struct ctl_arguments *arguments,
                                struct site *site)
{
    snprintf(site->certificate, sizeof site->certificate, "/etc/ssl/certs/%s.pem", site->host);
    snprintf(site->key, sizeof site->key, "/etc/ssl/private/%s.key", site->host);
    const char *directory = arguments->options[CTL_DIRECTORY];
    site->directory = directory != NULL ? directory : DIRECTORY;
    enum ctl_exit code =
        choose_path(ctl, "--certificate", arguments->options[CTL_CERTIFICATE], site->certificate);
    if (code == CTL_OK) {
        code = choose_path(ctl, "--key", arguments->options[CTL_KEY], site->key);
    }
    return code == CTL_OK ? check_path(ctl, "--directory", site->directory) : code;
}

static enum ctl_exit read_listen(struct ctl *ctl, const char *text, struct site *site)
{
    struct err err = {0};
    union syntax_address address;
    if (text != NULL && syntax_listen(text, &address, &err) != ERR_OK) {
        return ctl_complain(ctl, CTL_USAGE, "--listen: %s; allowed are ADDR:PORT and [ADDR]:PORT",
                            err.text);
    }
    site->listen = text;
    return CTL_OK;
}

static enum ctl_exit read_site(struct ctl *ctl, const struct ctl_arguments *arguments,
                               struct site *site)
{
    enum ctl_exit code = read_host(ctl, arguments->options[CTL_CN], site);
    if (code == CTL_OK) {
        code = read_paths(ctl, arguments, site);
    }
    if (code == CTL_OK) {
        code = read_listen(ctl, arguments->options[CTL_LISTEN], site);
    }
    if (code == CTL_OK) {
        code = client_cas_find(ctl, arguments->options[CTL_MIC], arguments->options[CTL_OUT],
                               &site->cas);
    }
    return code == CTL_OK ? check_path(ctl, "the manufacturer's certificates", site->cas.file)
                          : code;
}

static void write_head(FILE *out, const struct site *site, const char *place)
{
    fprintf(out,
            "# %s: profiles for phones that show a manufacturer's certificate (MIC).\n"
            "# %s\n"
            "# The certificate: scepctl server-cert sign %s.csr --out %s\n",
            site->host, place, site->host, site->certificate);
    if (site->cas.accepts_expired) {
        fputs("# scepd accepts expired MICs here; a web server never does.\n", out);
    }
}

static const char WEAK[] = "# Old MICs are signed with SHA-1 or have keys of 1024 bits, which "
                           "OpenSSL refuses above\n%s# level 0; without such phones take this "
                           "out, and mic.accept_sha1 in scepd.conf, too.\n";

static void write_apache(FILE *out, const struct site *site)
{
    write_head(out, site,
               "Debian: into /etc/apache2/sites-available/; a2enmod ssl headers; a2ensite.");
    fprintf(out,
            "<VirtualHost %s>\n"
            "    ServerName %s\n"
            "    DocumentRoot %s\n"
            "    SSLEngine on\n"
            "    SSLProtocol all -SSLv3 -TLSv1 -TLSv1.1\n"
            "    SSLCertificateFile %s\n"
            "    SSLCertificateKeyFile %s\n",
            site->listen != NULL ? site->listen : "*:443", site->host, site->directory,
            site->certificate, site->key);
    if (site->cas.has_weak) {
        fputs("    ", out);
        fprintf(out, WEAK, "    ");
        fputs("    SSLCipherSuite DEFAULT@SECLEVEL=0\n", out);
    }
    fprintf(out,
            "    SSLCACertificateFile %s\n"
            "    SSLVerifyClient require\n"
            "    SSLVerifyDepth 3\n"
            "    <Directory %s>\n"
            "        Options None\n"
            "        AllowOverride None\n"
            "        Require all granted\n"
            "        # A program here finds who asks in SSL_CLIENT_S_DN (all of the subject) and\n"
            "        # SSL_CLIENT_S_DN_CN (CP-8841-SEP...); of SPA phones in SSL_CLIENT_S_DN_OU\n"
            "        # (model), _ST (MAC) and _L (serial number).\n"
            "        SSLOptions +StdEnvVars\n"
            "    </Directory>\n"
            "    # The same for a program behind ProxyPass; what a phone sends under these names\n"
            "    # is replaced.\n"
            "    RequestHeader set X-Phone-Subject \"%%{SSL_CLIENT_S_DN}s\"\n"
            "    RequestHeader set X-Phone-CN \"%%{SSL_CLIENT_S_DN_CN}s\"\n"
            "</VirtualHost>\n",
            site->cas.file, site->directory);
}

// The subject comes in the form of RFC 2253, where a comma that ends no attribute has a backslash
// in front of it.
static void write_nginx(FILE *out, const struct site *site)
{
    write_head(out, site, "Debian: into /etc/nginx/sites-available/, linked in sites-enabled/.");
    fprintf(
        out,
        "map $ssl_client_s_dn $phone_cn {\n"
        "    default \"\";\n"
        "    \"~(?:^|(?<!\\\\\\\\)[,+])CN=(?<found_cn>[A-Za-z0-9._@-]+)(?:[,+]|$)\" $found_cn;\n"
        "}\n"
        "server {\n"
        "    listen %s ssl;\n"
        "    server_name %s;\n"
        "    root %s;\n"
        "    ssl_certificate %s;\n"
        "    ssl_certificate_key %s;\n"
        "    ssl_protocols TLSv1.2 TLSv1.3;\n",
        site->listen != NULL ? site->listen : "443", site->host, site->directory, site->certificate,
        site->key);
    if (site->cas.has_weak) {
        fputs("    ", out);
        fprintf(out, WEAK, "    ");
        fputs("    ssl_ciphers DEFAULT@SECLEVEL=0;\n", out);
    }
    fprintf(out,
            "    ssl_client_certificate %s;\n"
            "    ssl_verify_client on;\n"
            "    ssl_verify_depth 3;\n"
            "    location / {\n"
            "        try_files $uri =404;\n"
            "    }\n"
            "    # Who asks, for a program behind proxy_pass or fastcgi_pass; what a phone sends\n"
            "    # under these names is replaced.\n"
            "    proxy_set_header X-Phone-Subject $ssl_client_s_dn;\n"
            "    proxy_set_header X-Phone-CN $phone_cn;\n"
            "    fastcgi_param SSL_CLIENT_S_DN $ssl_client_s_dn;\n"
            "    fastcgi_param SSL_CLIENT_S_DN_CN $phone_cn;\n"
            "}\n",
            site->cas.file);
}

static enum ctl_exit print_json(struct ctl *ctl, const struct site *site, const char *text)
{
    CLEANUP(api_decref)
    json_t *answer =
        json_pack("{s:s, s:s}", "configuration", text, "client_certificates", site->cas.file);
    return answer != NULL ? api_print(ctl, answer) : ctl_complain(ctl, CTL_FAILED, "out of memory");
}

static enum ctl_exit print(struct ctl *ctl, const struct site *site,
                           void (*write)(FILE *, const struct site *))
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (out == NULL) {
        return ctl_complain(ctl, CTL_FAILED, "out of memory");
    }
    write(out, site);
    enum ctl_exit code = CTL_OK;
    if (fclose(out) != 0) {
        code = ctl_complain(ctl, CTL_FAILED, "out of memory");
    } else if (ctl->is_json) {
        code = print_json(ctl, site, text);
    } else if (fputs(text, ctl->out) == EOF) {
        code = ctl_complain(ctl, CTL_FAILED, "cannot write the output");
    }
    free(text);
    return code;
}

static enum ctl_exit run(struct ctl *ctl, const struct ctl_arguments *arguments,
                         void (*write)(FILE *, const struct site *))
{
    struct site site = {0};
    enum ctl_exit code = read_site(ctl, arguments, &site);
    if (code == CTL_OK) {
        code = print(ctl, &site, write);
    }
    client_cas_done(&site.cas);
    return code;
}

static enum ctl_exit run_apache(struct ctl *ctl, const struct ctl_arguments *arguments)
{
    return run(ctl, arguments, write_apache);
}

static enum ctl_exit run_nginx(struct ctl *ctl, const struct ctl_arguments *arguments)
{
    return run(ctl, arguments, write_nginx);
}

static const struct ctl_option options[] = {
    {"cn", CTL_CN, "HOST", "the server's name, as in its certificate"},
    {"certificate", CTL_CERTIFICATE, "FILE", "its certificate (/etc/ssl/certs/HOST.pem)"},
    {"key", CTL_KEY, "FILE", "its key (/etc/ssl/private/HOST.key)"},
    {"mic", CTL_MIC, "FILE", "PEM of the CAs of phones' certificates (those of the settings)"},
    {"out", CTL_OUT, "FILE", "write the CAs of the settings into this new file"},
    {"listen", CTL_LISTEN, "ADDR:PORT", "where it is asked (port 443 of every address)"},
    {"directory", CTL_DIRECTORY, "DIR", "the profiles (" DIRECTORY ")"},
    {0},
};

const struct ctl_command ctl_server_cert_apache = {
    .name = "server-cert",
    .action = "apache",
    .summary =
        "Print the configuration of Apache that asks phones for manufacturer's certificates.",
    .options = options,
    .run = run_apache,
};

const struct ctl_command ctl_server_cert_nginx = {
    .name = "server-cert",
    .action = "nginx",
    .summary = "Print the configuration of nginx that asks phones for manufacturer's certificates.",
    .options = options,
    .run = run_nginx,
};
