// SPDX-License-Identifier: Apache-2.0
#include "server/ctl/ca/init_words.h"

#include "conf/base/hex.h"
#include "conf/syntax.h"
#include "server/ctl/api.h"

#define FINGERPRINT_LEN (3 * SHA256_LEN) // bytes of hex pairs with colons and NUL

static const char *with_colons(struct view octets, char text[FINGERPRINT_LEN])
{
    for (size_t i = 0; i < octets.len; i++) {
        hex_encode(view_of(octets.data + i, 1), text + 3 * i);
        text[3 * i + 2] = i + 1 < octets.len ? ':' : '\0';
    }
    return text;
}

static void print_fingerprint(FILE *out, const char *name, struct view octets)
{
    char text[FINGERPRINT_LEN];
    fprintf(out, "  %s\n    for phones  %s\n", name, hex_encode(octets, text));
    fprintf(out, "    as pairs    %s\n", with_colons(octets, text));
}

static bool is_new(const struct init_plan *plan)
{
    return plan->way == INIT_NEW;
}

static bool has_root_key(const struct init_plan *plan)
{
    return is_new(plan) && plan->order.tiers > 1;
}

static bool is_in_token(const struct init_result *result)
{
    return syntax_key_path(result->ca_key) == NULL;
}

static void print_root_key(FILE *out, const struct init_result *result)
{
    fprintf(out,
            "The root CA's key is %s/" INIT_ROOT_KEY ".\n"
            "  scepd never reads it. Move it to an offline medium now, keep a copy in another\n"
            "  place, and remove it from this machine. It is needed only to make another\n"
            "  issuing CA.\n",
            result->directory);
}

static void print_ca_key(FILE *out, const struct init_plan *plan, const struct init_result *result)
{
    const char *which = has_root_key(plan) || result->has_root ? "issuing CA" : "CA";
    fprintf(out, "The %s's key is %s%s.\n", which, is_in_token(result) ? "in its token, " : "",
            result->ca_key);
    if (is_in_token(result)) {
        fputs("  The token must stay with this machine: scepd-ca signs the phones' certificates\n"
              "  with it. The user that scepd-ca runs as needs access to it.\n",
              out);
    } else if (is_new(plan) && !has_root_key(plan)) {
        fputs("  It is the root's key and must stay on this machine: scepd-ca signs the phones'\n"
              "  certificates with it. With two tiers the root's key could go offline.\n",
              out);
    } else {
        fputs("  It must stay: scepd-ca signs the phones' certificates with it.\n", out);
    }
}

static void print_head(FILE *out, const struct init_plan *plan, const struct init_result *result)
{
    if (is_new(plan)) {
        fprintf(out, "A new CA of %s is in %s.\n", has_root_key(plan) ? "two tiers" : "one tier",
                result->directory);
    } else {
        fprintf(out, "%s has what scepd needs to work with this CA.\n", result->directory);
    }
    if (plan->order.is_direct) {
        fputs("It answers SCEP itself: there is no RA.\n", out);
    }
}

static void print_done(FILE *out, const struct init_plan *plan, const struct init_result *result)
{
    print_head(out, plan, result);
    if (has_root_key(plan)) {
        print_root_key(out, result);
    }
    print_ca_key(out, plan, result);
    fputs("Fingerprints of the root, of which a phone needs one (CDC_Root_CA_Fingerprint_1_):\n",
          out);
    print_fingerprint(out, "SHA-256", view_of(result->root_sha256, sizeof result->root_sha256));
    print_fingerprint(out, "SHA-1", view_of(result->root_sha1, sizeof result->root_sha1));
    fprintf(out, "Next: look through %s/" INIT_CONFIG ", then ", result->directory);
    if (plan->place->is_installed) {
        fputs("systemctl start scepd\n", out);
    } else {
        fprintf(out, "scepd -c %s/" INIT_CONFIG "\n", result->directory);
    }
}

static void print_requested(FILE *out, const struct init_plan *plan,
                            const struct init_result *result)
{
    fprintf(out, "The request for this CA's certificate is %s/" INIT_REQUEST ".\n",
            result->directory);
    print_ca_key(out, plan, result);
    fprintf(out,
            "Next: have the CA above sign the request, as a CA's: basicConstraints CA:TRUE, and\n"
            "keyUsage keyCertSign, cRLSign, digitalSignature. With the certificate, and all those\n"
            "above it up to the root,\n"
            "  scepctl init%s%s --subordinate --certificate FILE --chain FILE \\\n"
            "    --url http://HOST\n",
            plan->place->is_installed ? "" : " ",
            plan->place->is_installed ? "" : result->directory);
}

static json_t *path_json(const char *directory, const char *name)
{
    return json_sprintf("%s/%s", directory, name);
}

// NULL becomes null.
static json_t *root_key_json(const struct init_plan *plan, const struct init_result *result)
{
    if (has_root_key(plan)) {
        return path_json(result->directory, INIT_ROOT_KEY);
    }
    return is_new(plan) ? json_string(result->ca_key) : json_null();
}

static json_t *done_json(const struct init_plan *plan, const struct init_result *result)
{
    char sha256[FINGERPRINT_LEN];
    char sha1[FINGERPRINT_LEN];
    const char *directory = result->directory;
    const char *root = result->has_root ? INIT_ROOT_CERTIFICATE : INIT_CA_CERTIFICATE;
    hex_encode(view_of(result->root_sha256, sizeof result->root_sha256), sha256);
    hex_encode(view_of(result->root_sha1, sizeof result->root_sha1), sha1);
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:s, s:o, s:s?, s:s, s:s}",       //
                     "directory", directory,                                      //
                     "config", path_json(directory, INIT_CONFIG),                 //
                     "root_certificate", path_json(directory, root),              //
                     "root_key", root_key_json(plan, result),                     //
                     "ca_certificate", path_json(directory, INIT_CA_CERTIFICATE), //
                     "ca_key", result->ca_key,                                    //
                     "root_key_can_go_offline", json_boolean(has_root_key(plan)), //
                     "url", plan->url,                                            //
                     "root_sha256", sha256,                                       //
                     "root_sha1", sha1);
}

static json_t *requested_json(const struct init_result *result)
{
    return json_pack("{s:s, s:o, s:s}",                                     //
                     "directory", result->directory,                        //
                     "request", path_json(result->directory, INIT_REQUEST), //
                     "ca_key", result->ca_key);
}

enum ctl_exit init_words(struct ctl *ctl, const struct init_plan *plan,
                         const struct init_result *result)
{
    bool is_request = plan->way == INIT_REQUESTED;
    if (ctl->is_json) {
        CLEANUP(api_decref)
        json_t *answer = is_request ? requested_json(result) : done_json(plan, result);
        return api_print(ctl, answer);
    }
    if (is_request) {
        print_requested(ctl->out, plan, result);
    } else {
        print_done(ctl->out, plan, result);
    }
    return CTL_OK;
}
