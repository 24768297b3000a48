// SPDX-License-Identifier: Apache-2.0
// scepctl radius freeradius: FreeRADIUS 3.2 as Debian 12 has it, for phones that do EAP-TLS with
// the certificates of this scepd.
#include <stdlib.h>
#include <string.h>

#include "conf/generations.h"
#include "conf/syntax.h"
#include "server/ctl/api.h"

#define CA_FOLDER "/etc/freeradius/3.0/certs/scepd"

static void cleanup_settings(struct settings **settings)
{
    settings_free(*settings);
}

// Where things are fetched from.
struct place {
    const struct settings *settings;
    const char *server; // "http://scep.example.nl", or NULL: the settings name whole URLs
    bool asks_ocsp;     // instead of fetching CRLs
};

// "<server><path>" or the whole URL that the settings have, with the CA's name in it.
static enum err_code url_of(const struct place *place, const char *url, const char *path,
                            const char *name, struct buf *ret_url, struct err *err)
{
    CLEANUP(buf_done) struct buf tail = {0};
    if (place->server == NULL) {
        return generation_expand(url, name, ret_url, err);
    }
    enum err_code code = generation_expand(path, name, &tail, err);
    if (code == ERR_OK) {
        code = buf_append(ret_url, view_of_text(place->server), err);
    }
    return code == ERR_OK ? buf_append(ret_url, view_of(tail.data, tail.len + 1), err) : code;
}

static enum err_code write_fetch(FILE *out, const struct place *place,
                                 const struct generation *generation, struct err *err)
{
    const struct settings *settings = place->settings;
    CLEANUP(buf_done) struct buf ca = {0};
    CLEANUP(buf_done) struct buf crl = {0};
    enum err_code code =
        url_of(place, settings->phone.ca_url, settings->http.ca_path, generation->name, &ca, err);
    if (code == ERR_OK) {
        fprintf(out, "#   curl -fsS %s | openssl x509 -inform DER -out %s.pem\n",
                (const char *)ca.data, generation->name);
    }
    if (code != ERR_OK || place->asks_ocsp) {
        return code;
    }
    code = url_of(place, settings->phone.crl_url, settings->http.crl_path, generation->name, &crl,
                  err);
    if (code == ERR_OK) {
        fprintf(out, "#   curl -fsS %s | openssl crl -inform DER -out %s.crl\n",
                (const char *)crl.data, generation->name);
    }
    return code;
}

static enum err_code write_fetches(FILE *out, const struct place *place,
                                   const struct generations *generations, struct err *err)
{
    fprintf(
        out,
        "# EAP-TLS for phones with certificates of scepd: this is mods-available/eap of FreeRADIUS "
        "3.2.\n"
        "#\n"
        "# %s (set -e):\n"
        "#   install -d -o root -g freerad -m 0750 " CA_FOLDER "\n"
        "#   cd " CA_FOLDER "\n",
        place->asks_ocsp ? "CAs, as root, now and after each rollover"
                         : "CAs and CRLs, as root, once an hour, by a cron job or a timer");
    enum err_code code = ERR_OK;
    for (unsigned i = 0; code == ERR_OK && i < generations->count; i++) {
        code = write_fetch(out, place, &generations->list[i], err);
    }
    fputs("#   openssl rehash .\n", out);
    if (!place->asks_ocsp) {
        // Its ca_path_reload_interval does not make FreeRADIUS 3.2.1 look at CRLs again.
        fputs("# FreeRADIUS reads CRLs at its start only, so, at the end of it:\n"
              "#   systemctl try-restart freeradius\n",
              out);
    }
    return code;
}

static void write_root(FILE *out, const struct settings *settings)
{
    // The command is run in another folder than this one.
    char *root = settings->ca.root != NULL ? realpath(settings->ca.root, NULL) : NULL;
    if (root != NULL) {
        fprintf(out,
                "# The root, once, by a way that nobody can tamper with:\n"
                "#   cp %s " CA_FOLDER "/root.pem\n",
                root);
    }
    free(root);
}

static void write_crl_checks(FILE *out)
{
    fputs("        # A revoked phone is kept out; so is everybody when the CRL is over. The root\n"
          "        # has none, so only the CA that issues to phones is asked for one.\n"
          "        check_crl = yes\n"
          "        check_all_crl = no\n"
          "        allow_expired_crl = no\n",
          out);
}

static enum err_code write_ocsp(FILE *out, const struct place *place, struct err *err)
{
    CLEANUP(buf_done) struct buf url = {0};
    const struct settings *settings = place->settings;
    enum err_code code =
        url_of(place, settings->phone.ocsp_url, settings->http.ocsp_path, "", &url, err);
    if (code != ERR_OK) {
        return code;
    }
    fprintf(out,
            "        # A phone is kept out from the moment it is revoked; so is everybody while\n"
            "        # scepd does not answer (softfail = yes lets them in then).\n"
            "        ocsp {\n"
            "            enable = yes\n"
            "            override_cert_url = yes\n"
            "            url = \"%s\"\n"
            "            use_nonce = yes\n"
            "            timeout = 5\n"
            "            softfail = no\n"
            "        }\n",
            (const char *)url.data);
    return ERR_OK;
}

static enum err_code write_checks(FILE *out, const struct place *place, struct err *err)
{
    if (place->asks_ocsp) {
        return write_ocsp(out, place, err);
    }
    write_crl_checks(out);
    return ERR_OK;
}

static enum err_code write_module(FILE *out, const struct place *place, struct err *err)
{
    fputs("# The server's own certificate, which phones check by the same root:\n"
          "#   scepctl server-cert sign radius.csr --out radius.pem\n"
          "eap {\n"
          "    default_eap_type = tls\n"
          "    timer_expire = 60\n"
          "    ignore_unknown_eap_types = no\n"
          "    cisco_accounting_username_bug = no\n"
          "    max_sessions = ${max_requests}\n"
          "    tls-config scepd {\n"
          "        certificate_file = /etc/freeradius/3.0/certs/radius.pem\n"
          "        private_key_file = /etc/freeradius/3.0/certs/radius.key\n"
          "        auto_chain = no\n"
          "        ca_path = " CA_FOLDER "\n",
          out);
    enum err_code code = write_checks(out, place, err);
    fputs(
        "        # The identity of a phone is its certificate's CN, unless a user name is set on\n"
        "        # it: then take this out.\n"
        "        check_cert_cn = %{User-Name}\n"
        "        tls_min_version = \"1.2\"\n"
        "        tls_max_version = \"1.2\"\n"
        "        cipher_list = \"DEFAULT\"\n"
        "        ecdh_curve = \"\"\n"
        "        # A session that is taken up again is not asked for its certificate.\n"
        "        cache {\n"
        "            enable = no\n"
        "        }\n"
        "    }\n"
        "    tls {\n"
        "        tls = scepd\n"
        "    }\n"
        "}\n",
        out);
    return code;
}

static enum ctl_exit check_place(struct ctl *ctl, const struct place *place)
{
    struct err err = {0};
    if (place->server != NULL && syntax_url(place->server, &err) != ERR_OK) {
        return ctl_complain(ctl, CTL_USAGE, "--server: %s; allowed is http://HOST[:PORT]",
                            err.text);
    }
    if (place->server != NULL && place->server[strlen(place->server) - 1] == '/') {
        return ctl_complain(ctl, CTL_USAGE,
                            "--server: a / at the end; allowed is "
                            "http://HOST[:PORT]");
    }
    const char *url =
        place->asks_ocsp ? place->settings->phone.ocsp_url : place->settings->phone.crl_url;
    return place->server != NULL || (url != NULL && place->settings->phone.ca_url != NULL)
               ? CTL_OK
               : ctl_complain(ctl, CTL_USAGE,
                              "where FreeRADIUS finds scepd is not known: phone.%s or phone.ca_url "
                              "is not set; --server http://HOST[:PORT] says where scepd is",
                              place->asks_ocsp ? "ocsp_url" : "crl_url");
}

static enum ctl_exit print(struct ctl *ctl, const char *text)
{
    if (!ctl->is_json) {
        return fputs(text, ctl->out) != EOF
                   ? CTL_OK
                   : ctl_complain(ctl, CTL_FAILED, "cannot write the output");
    }
    CLEANUP(api_decref) json_t *answer = json_pack("{s:s}", "configuration", text);
    return answer != NULL ? api_print(ctl, answer) : ctl_complain(ctl, CTL_FAILED, "out of memory");
}

static enum ctl_exit write_all(struct ctl *ctl, const struct place *place,
                               const struct generations *generations)
{
    struct err err = {0};
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (out == NULL) {
        return ctl_complain(ctl, CTL_FAILED, "out of memory");
    }
    enum err_code code = write_fetches(out, place, generations, &err);
    write_root(out, place->settings);
    if (code == ERR_OK) {
        code = write_module(out, place, &err);
    }
    if (fclose(out) != 0 && code == ERR_OK) {
        code = err_set(&err, ERR_NOMEM, "out of memory");
    }
    enum ctl_exit result =
        code == ERR_OK ? print(ctl, text) : ctl_complain(ctl, CTL_FAILED, "%s", err.text);
    free(text);
    return result;
}

static enum ctl_exit run(struct ctl *ctl, const struct ctl_arguments *arguments)
{
    struct err err = {0};
    CLEANUP(cleanup_settings) struct settings *settings = NULL;
    CLEANUP(generations_done) struct generations generations = {0};
    if (settings_load(ctl->config, false, ctl->errors, &settings, &err) != ERR_OK) {
        return ctl_complain(ctl, CTL_USAGE, "%s (-c FILE names another settings file)", err.text);
    }
    const struct place place = {.settings = settings,
                                .server = arguments->options[CTL_SERVER],
                                .asks_ocsp = arguments->options[CTL_OCSP] != NULL};
    enum ctl_exit code = check_place(ctl, &place);
    if (code != CTL_OK) {
        return code;
    }
    if (generations_read(settings, &generations, &err) != ERR_OK) {
        return ctl_complain(ctl, CTL_USAGE, "%s", err.text);
    }
    return write_all(ctl, &place, &generations);
}

static const struct ctl_option options[] = {
    {"server", CTL_SERVER, "URL",
     "where scepd is: http://HOST[:PORT] (phone.crl_url and phone.ca_url)"},
    {"ocsp", CTL_OCSP, NULL, "have FreeRADIUS ask scepd about each certificate; no CRLs"},
    {0},
};

const struct ctl_command ctl_radius_freeradius = {
    .name = "radius",
    .action = "freeradius",
    .summary =
        "Print FreeRADIUS's configuration for phones that use their certificates for 802.1X.",
    .options = options,
    .run = run,
};
