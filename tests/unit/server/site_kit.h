// SPDX-License-Identifier: Apache-2.0
// The files of a whole CA as `scepctl init` makes them, and what scepd loads from them.
#pragma once

#include "kit/kit.h"

#include <stdlib.h>

#include "ra/policy.h"
#include "server/ctl/ca/init_files.h"
#include "server/ctl/ca/init_place.h"

static inline void site_init_as(const char *folder, const char *static_file,
                                const struct ceremony_order *order)
{
    struct err err = {0};
    struct init_result result = {0};
    const struct init_place place = init_place_folder(folder, "127.0.0.1:0");
    const struct init_plan plan = {
        .place = &place,
        .way = INIT_NEW,
        .static_file = static_file,
        .order = *order,
    };
    if (init_files(&plan, stderr, &result, &err) != ERR_OK) {
        fail_msg("init: %s", err.text);
    }
    init_result_done(&result);
}

// Makes a two-tier CA in `folder`. `static_file` is the absolute path of a static challenge's file,
// or NULL for none. Takes a second or two.
static inline void site_init(const char *folder, const char *static_file)
{
    site_init_as(folder, static_file,
                 &(struct ceremony_order){
                     .tiers = 2, .ca_key = "ec:P-256", .organization = "Test", .now = KIT_NOW});
}

// A single CA that answers SCEP itself.
static inline void site_init_direct(const char *folder, const char *static_file)
{
    site_init_as(folder, static_file,
                 &(struct ceremony_order){.tiers = 1, .is_direct = true, .now = KIT_NOW});
}

// The settings in `config`; the files they name need not be there. Caller frees.
static inline struct settings *site_settings(const char *config)
{
    struct err err = {0};
    struct settings *settings = NULL;
    if (settings_load(config, false, stderr, &settings, &err) != ERR_OK) {
        fail_msg("settings: %s", err.text);
    }
    return settings;
}

// Caller gives the reference back.
static inline struct policy *site_policy(const char *config)
{
    struct err err = {0};
    struct policy *policy = NULL;
    if (policy_new(site_settings(config), KIT_NOW, &policy, &err) != ERR_OK) {
        fail_msg("policy: %s", err.text);
    }
    return policy;
}
