/* rebuild - see rebuild.h */
#include "rebuild.h"

#include "compile.h"
#include "folders.h"
#include "hostfiles.h"
#include "io.h"
#include "registry.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct work {
    int root;
    struct sources *sources;
    struct findings *findings;
    struct compile_target target;
    struct plans plans;
    struct hostfiles *host; /* NULL: not asked for */
    struct registry old;    /* as compiled */
    struct registry registry;
    struct domain *domains;
    size_t count;
    const char *const *names; /* of the domains asked for; */
    size_t name_count;        /* 0: all there are */
    struct replacements replacements;
};

/* ---- reading ---- */

static bool load_domain(struct work *work, const char *name)
{
    struct domain *domain = &work->domains[work->count];
    if (!domain_load(domain, name, work->sources, &work->plans, work->findings))
        return false;
    work->count++;
    if (!registry_add(&work->registry, domain))
        findings_trouble(work->findings, "control/domains", "find memory");
    return true;
}

static bool make_room(struct work *work, size_t count)
{
    work->domains = calloc(count + 1, sizeof *work->domains);
    if (!work->domains)
        findings_trouble(work->findings, "control/domains", "find memory");
    return work->domains != NULL;
}

static void load_all_domains(struct work *work)
{
    struct folders_names names;
    char ascii[IDN_NAME_MAX + 1];
    if (!folders_list(work->sources->folder, "domains", &names)) {
        findings_trouble(work->findings, "control/domains", "list it");
        return;
    }
    if (!make_room(work, names.count + SOURCES_CHANGES_MAX)) {
        folders_names_free(&names);
        return;
    }
    for (size_t i = 0; i < names.count; i++) {
        if (!idn_to_ascii(slice_text(names.of[i]), ascii) || strcmp(ascii, names.of[i]) != 0)
            findings_error(work->findings, "control/domains", 0,
                           "\"%s\" is no domain name in lower-case A-labels: rename or remove it",
                           names.of[i]);
        else if (!load_domain(work, names.of[i]))
            findings_error(work->findings, "control/domains", 0, "\"%s\" is no folder: remove it",
                           names.of[i]);
    }
    folders_names_free(&names);
}

static void load_everything(struct work *work)
{
    work->host = hostfiles_load(work->sources, work->findings);
    if (!work->host)
        findings_trouble(work->findings, "control", "find memory");
    plans_load_all(&work->plans, work->sources, work->findings);
    load_all_domains(work);
}

static void load_some(struct work *work)
{
    /* The registry is the old one with these domains taken out and put in anew. */
    if (!registry_load(&work->registry, work->target.folder))
        findings_trouble(work->findings, "cdb/domains.cdb", "read it");
    if (!make_room(work, work->name_count))
        return;
    for (size_t i = 0; i < work->name_count; i++) {
        bool was_there = registry_find(&work->old, work->names[i]) != NULL;
        registry_remove(&work->registry, work->names[i]);
        if (!load_domain(work, work->names[i]) && !was_there)
            findings_error(work->findings, "control/domains", 0, "there is no domain %s",
                           work->names[i]);
    }
}

/* ---- writing ---- */

/* The accounts' folders, so that a first log-in finds its own; the Maildir in it is made by who needs
 * it first. They are made by their owner, which is one call instead of four. */
static bool make_mailboxes(int folder, const struct domain *domain, bool *any)
{
    bool done = folders_act_as(domain->uid);
    for (size_t i = 0; done && i < domain->account_count; i++) {
        bool made = mkdirat(folder, domain->accounts[i].local, 0700) == 0;
        done = made || errno == EEXIST;
        /* Where a crash left the domain's folder with root. */
        if (!done && errno == EACCES)
            done = folders_act_as_root() &&
                   folders_make(folder, domain->accounts[i].local, domain->uid, &made) &&
                   folders_act_as(domain->uid);
        *any = *any || made;
    }
    int error = errno;
    bool back = folders_act_as_root();
    errno = error;
    return done && back;
}

/* What is made here is durable before any mail is written below it: before the domain is published. */
static bool make_mail_folders(const struct work *work, int mail, const struct domain *domain,
                              bool *made)
{
    bool fresh = false, any = false;
    if (!folders_make(mail, domain->name, domain->uid, &fresh))
        return false;
    int folder = openat(mail, domain->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    bool done = folder >= 0 && make_mailboxes(folder, domain, &any);
    bool alone = work->count <= REPLACEMENT_FEW;
    done = done && (!fresh || !alone || io_sync_folder(mail)) &&
           (!any || !alone || io_sync_folder(folder));
    *made = *made || fresh || any;
    io_close(&folder);
    return done;
}

static bool make_all_mail_folders(const struct work *work)
{
    bool made = false;
    if (mkdirat(work->root, "mail", 0711) < 0 && errno != EEXIST) {
        findings_trouble(work->findings, "mail", "make it");
        return false;
    }
    int mail = openat(work->root, "mail", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool done = mail >= 0;
    for (size_t i = 0; done && i < work->count; i++) {
        done = make_mail_folders(work, mail, &work->domains[i], &made);
        if (!done)
            findings_trouble(work->findings, work->domains[i].name, "make its folders below mail");
    }
    /* Thousands of folders in one commit of the journal. */
    if (done && made && work->count > REPLACEMENT_FEW)
        done = syncfs(mail) == 0;
    if (!done && work->findings->error_count == 0)
        findings_trouble(work->findings, "mail", "write to it");
    io_close(&mail);
    return done;
}

static bool write_domains(struct work *work)
{
    for (size_t i = 0; i < work->count; i++)
        if (!compile_domain(&work->target, &work->domains[i], &work->replacements, work->findings))
            return false;
    return true;
}

static bool remove_gone(const struct work *work)
{
    for (size_t i = 0; i < work->old.count; i++) {
        const struct registry_entry *old = &work->old.of[i];
        bool was_domain = strcmp(old->name, old->parent) == 0;
        const struct registry_entry *now = registry_find_sorted(&work->registry, old->name);
        bool is_domain = now && strcmp(now->name, now->parent) == 0;
        if (was_domain && !is_domain && !compile_remove(&work->target, old->name, work->findings))
            return false;
    }
    return true;
}

/* All that is to be there then, written beside what is there now. */
static bool write_beside(struct work *work)
{
    if (!sources_write(work->sources, &work->replacements, work->findings))
        return false;
    const struct hostfiles_place place = {.folder = work->target.folder,
                                          .relay = work->target.relay,
                                          .group = work->target.directory_group,
                                          .relay_group = work->target.relay_group};
    if (work->host && !hostfiles_write(work->host, &place, &work->replacements, work->findings))
        return false;
    if (!make_all_mail_folders(work) || !write_domains(work))
        return false;
    if (registry_write(&work->registry, &work->replacements, work->target.folder,
                       work->target.directory_group))
        return true;
    findings_trouble(work->findings, "cdb/domains.cdb", "write it");
    return false;
}

static bool write_all(struct work *work)
{
    bool begun = false;
    if (!write_beside(work) || !sources_are_unchanged(work->sources, work->findings)) {
        replacement_drop(&work->replacements);
        return false;
    }
    if (replacement_commit(&work->replacements, &begun))
        return remove_gone(work);
    findings_trouble(work->findings, "cdb",
                     begun ? "put all new files in place (cdb rebuild once it can be written to)"
                           : "write to the disk");
    return false;
}

static void finish(struct work *work)
{
    for (size_t i = 0; i < work->count; i++)
        domain_free(&work->domains[i]);
    free(work->domains);
    plans_free(&work->plans);
    hostfiles_free(work->host);
    registry_free(&work->old);
    registry_free(&work->registry);
    compile_close(&work->target);
}

enum rebuild_result rebuild(int root, struct sources *sources, const char *const *names,
                            size_t count, struct findings *findings)
{
    struct work work = {.root = root,
                        .sources = sources,
                        .findings = findings,
                        .names = names,
                        .name_count = count};
    if (!compile_open(&work.target, root)) {
        findings_trouble(findings, "cdb", "open or make it");
        return REBUILD_TROUBLE;
    }
    bool compiled = registry_load(&work.old, work.target.folder);
    if (count > 0 && compiled)
        load_some(&work);
    else
        load_everything(&work);
    registry_check(&work.registry, findings);
    bool right = findings->error_count == 0;
    bool written = right && write_all(&work);
    finish(&work);
    if (written)
        return REBUILD_DONE;
    return right || findings->trouble ? REBUILD_TROUBLE : REBUILD_REFUSED;
}
