/* What the checks of pxs doctor tell, kept as JSON and printed for people. */
#include "cli/doctor.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/macros.h"
#include "cli/output.h"

#define NAME_WIDTH 20
#define TEXT_MAX 2048

static const char *const VERDICTS[] = {
	[DOCTOR_OK] = "ok",
	[DOCTOR_SKIPPED] = "skipped",
	[DOCTOR_DOUBT] = "doubt",
	[DOCTOR_FAULT] = "fault",
};

/* --- Telling --- */

/* TEXT with control characters shown; where it is no UTF-8, with every byte shown that is not
 * ASCII. */
static json_t *
text_to_json(const char *text)
{
	CLEANUP(pxs_buf) struct pxs_buf shown = PXS_BUF_INIT;
	json_t *json;

	output_add_text(&shown, text, strlen(text), true);
	json = json_string(pxs_buf_text(&shown));
	if (json)
		return json;
	pxs_buf_clear(&shown);
	for (const char *c = text; *c; c++)
		pxs_buf_addf(&shown, isprint((unsigned char)*c) ? "%c" : "\\x%02x",
			     (unsigned char)*c);
	return json_string(pxs_buf_text(&shown));
}

static void
add_finding(struct doctor *doctor, enum doctor_verdict verdict, json_t *found)
{
	json_t *finding = json_object();

	(void)json_object_set_new(finding, "group", json_string(doctor->check->group));
	(void)json_object_set_new(finding, "check", json_string(doctor->check->name));
	(void)json_object_set_new(finding, "verdict", json_string(VERDICTS[verdict]));
	(void)json_object_set_new(finding, "found", found);
	(void)json_array_append_new(doctor->findings, finding);
}

void
doctor_tell(struct doctor *doctor, enum doctor_verdict verdict, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	add_finding(doctor, verdict, text_to_json(text));
}

static void
set_fix(struct doctor *doctor, const char *text)
{
	json_t *last = json_array_get(doctor->findings, json_array_size(doctor->findings) - 1);

	(void)json_object_set_new(last, "fix", text_to_json(text));
}

void
doctor_advise(struct doctor *doctor, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	set_fix(doctor, text);
}

static bool
is_plain_word(const char *word)
{
	for (const char *c = word; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("/._-+,:@%", *c))
			return false;
	return *word != '\0';
}

void
doctor_advise_path(struct doctor *doctor, const char *command, const char *path)
{
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;

	pxs_buf_addf(&text, "%s ", command);
	if (is_plain_word(path)) {
		pxs_buf_add_str(&text, path);
	} else {
		pxs_buf_add_char(&text, '\'');
		for (const char *c = path; *c; c++)
			pxs_buf_addf(&text, *c == '\'' ? "'\\''" : "%c", *c);
		pxs_buf_add_char(&text, '\'');
	}
	set_fix(doctor, pxs_buf_text(&text));
}

bool
doctor_has_daemon(struct doctor *doctor)
{
	if (doctor->client)
		return true;
	doctor_tell(doctor, DOCTOR_SKIPPED, "no daemon answers");
	return false;
}

void
doctor_run(struct doctor *doctor, const struct doctor_check *check)
{
	size_t before = json_array_size(doctor->findings);

	doctor->check = check;
	check->look(doctor);
	if (json_array_size(doctor->findings) == before)
		doctor_tell(doctor, DOCTOR_OK, "%s", check->about);
}

/* --- Reading it back --- */

static const char *
member(const json_t *finding, const char *key)
{
	return json_string_value(json_object_get(finding, key));
}

static bool
is(const json_t *finding, enum doctor_verdict verdict)
{
	const char *text = member(finding, "verdict");

	return text && strcmp(text, VERDICTS[verdict]) == 0;
}

/* Of one GROUP, or of all (NULL). */
static size_t
count(const struct doctor *doctor, const char *group, enum doctor_verdict verdict)
{
	const json_t *finding;
	size_t n = 0;
	size_t i;

	json_array_foreach (doctor->findings, i, finding)
		if (is(finding, verdict) &&
		    (!group || strcmp(member(finding, "group"), group) == 0))
			n++;
	return n;
}

size_t
doctor_count(const struct doctor *doctor, enum doctor_verdict verdict)
{
	return count(doctor, NULL, verdict);
}

static void
print_finding(const json_t *finding, struct pxs_buf *out)
{
	const char *fix = member(finding, "fix");
	const char *found = member(finding, "found");

	pxs_buf_addf(out, "  %-8s ", member(finding, "verdict"));
	output_add_padded(out, member(finding, "check"), NAME_WIDTH);
	pxs_buf_addf(out, " %s\n", found ? found : "");
	if (fix)
		pxs_buf_addf(out, "  %-8s what to do: %s\n", "", fix);
}

static void
print_group(const struct doctor *doctor, const char *group, bool all, struct pxs_buf *out)
{
	size_t skipped = count(doctor, group, DOCTOR_SKIPPED);
	const json_t *finding;
	size_t i;

	pxs_buf_addf(out, "%-14s %zu ok", group, count(doctor, group, DOCTOR_OK));
	if (skipped)
		pxs_buf_addf(out, ", %zu skipped", skipped);
	pxs_buf_add_char(out, '\n');
	json_array_foreach (doctor->findings, i, finding)
		if (strcmp(member(finding, "group"), group) == 0 &&
		    (all || is(finding, DOCTOR_DOUBT) || is(finding, DOCTOR_FAULT)))
			print_finding(finding, out);
}

void
doctor_print(const struct doctor *doctor, bool all, struct pxs_buf *out)
{
	size_t faults = doctor_count(doctor, DOCTOR_FAULT);
	size_t doubts = doctor_count(doctor, DOCTOR_DOUBT);
	const char *group = "";
	const json_t *finding;
	size_t i;

	json_array_foreach (doctor->findings, i, finding) {
		if (strcmp(member(finding, "group"), group) == 0)
			continue;
		group = member(finding, "group");
		print_group(doctor, group, all, out);
	}
	pxs_buf_addf(out, "%zu fault%s, %zu doubt%s\n", faults, faults == 1 ? "" : "s", doubts,
		     doubts == 1 ? "" : "s");
}

void
doctor_print_json(const struct doctor *doctor, struct pxs_buf *out)
{
	json_t *whole = json_object();
	char *text;

	for (size_t i = 0; i < ARRAY_SIZE(VERDICTS); i++)
		(void)json_object_set_new(
			whole, VERDICTS[i],
			json_integer((json_int_t)doctor_count(doctor, (enum doctor_verdict)i)));
	(void)json_object_set(whole, "findings", doctor->findings);
	text = json_dumps(whole, JSON_COMPACT);
	pxs_buf_addf(out, "%s\n", text ? text : "");
	free(text);
	json_decref(whole);
}
