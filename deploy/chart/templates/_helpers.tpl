{{- define "fitserve.name" -}}
{{ .Release.Name | trunc 34 | trimSuffix "-" }}
{{- end }}

{{- define "fitserve.labels" -}}
{app.kubernetes.io/name: fitserve, app.kubernetes.io/instance: {{ .root.Release.Name | quote }}, app.kubernetes.io/component: {{ .component }}}
{{- end }}

{{- /* Each pool with the values of workerDefaults that it does not set, as JSON. */}}
{{- define "fitserve.pools" -}}
{{- $pools := dict }}
{{- range $name, $given := .Values.workers }}
{{- $pool := deepCopy $.Values.workerDefaults }}
{{- range $key, $value := $given }}
{{- if eq $key "scaling" }}
{{- range $inner, $set := $value }}{{ $_ := set $pool.scaling $inner $set }}{{ end }}
{{- else }}{{ $_ := set $pool $key $value }}{{ end }}
{{- end }}
{{- $_ := set $pools $name $pool }}
{{- end }}
{{- toJson $pools }}
{{- end }}

{{- /* The tags for which all workers may be away; the API accepts runs for them. */}}
{{- define "fitserve.absentTags" -}}
{{- $tags := list }}
{{- range include "fitserve.pools" . | fromJson }}
{{- if eq 0 (int (ternary .scaling.min .replicas .scaling.enabled)) }}
{{- $tags = concat $tags .tags | uniq | sortAlpha }}
{{- end }}
{{- end }}
{{- toJson $tags }}
{{- end }}

{{- /* The runs that a pool trains, or could train while no other pool does. */}}
{{- define "fitserve.unfinishedRuns" -}}
SELECT count(*) FROM runs WHERE status IN ('queued', 'running') AND
{{- if .tags }} worker_tags <> '' AND string_to_array(worker_tags, '.') <@ ARRAY['{{ join "', '" .tags }}']
{{- else }} worker_tags = ''
{{- end }}
{{- end }}

{{- define "fitserve.check" -}}
{{- $secret := list "FITSERVE_DATABASE_URL" "FITSERVE_BROKER_URL" "FITSERVE_API_KEY" "FITSERVE_KEY_PEPPER" "AWS_ACCESS_KEY_ID" "AWS_SECRET_ACCESS_KEY" "AWS_SESSION_TOKEN" }}
{{- $own := list "FITSERVE_HOME" "FITSERVE_HOST" "FITSERVE_PORT" "FITSERVE_API_WORKERS" "FITSERVE_WORKER_TAGS" "FITSERVE_WORKER_PROCESSES" }}
{{- if not .Values.secretName }}
{{- fail "secretName is empty. Create a Secret with the URLs and keys (docs/deploying.md has the command), and set secretName to its name." }}
{{- end }}
{{- range $target, $image := .Values.images }}
{{- if not $image }}
{{- fail (printf "images.%s is empty. Build the target `%s` of the Dockerfile, push it, and set images.%s to its name and tag, such as registry.example.org/fitserve-%s:0.1.0." $target $target $target $target) }}
{{- end }}
{{- end }}
{{- range $name, $value := .Values.settings }}
{{- if has $name $secret }}
{{- fail (printf "settings.%s is a secret. Leave it out of the values, and put it into the Secret that secretName names." $name) }}
{{- else if has $name $own }}
{{- fail (printf "settings.%s is set by the chart. Leave it out; `processes` and `tags` of a pool set those of workers." $name) }}
{{- end }}
{{- end }}
{{- $url := .Values.settings.FITSERVE_STORAGE_URL | default "" }}
{{- if not (hasPrefix "s3://" $url) }}
{{- fail (printf "settings.FITSERVE_STORAGE_URL is %q. Expected a URL such as s3://bucket/prefix, because the pods share no folder." $url) }}
{{- end }}
{{- range $name, $pool := include "fitserve.pools" . | fromJson }}
{{- if gt (int $pool.scaling.min) (int $pool.scaling.max) }}
{{- fail (printf "workers.%s.scaling has min %v and max %v. Set min to at most max." $name $pool.scaling.min $pool.scaling.max) }}
{{- end }}
{{- end }}
{{- $tags := include "fitserve.absentTags" . | fromJsonArray }}
{{- if gt (len $tags) 4 }}
{{- fail (printf "The pools without a permanent worker have the tags %s together, but the API accepts at most 4. Set scaling.min of one of these pools to 1." (join ", " $tags)) }}
{{- end }}
{{- if and .Values.ingress.enabled (not .Values.ingress.host) }}
{{- fail "ingress.host is empty. Set it to the name of the host, such as fitserve.example.org, or set ingress.enabled to false." }}
{{- end }}
{{- end }}
