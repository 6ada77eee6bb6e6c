{{- /* The spec of a pod with one container. Arguments: root, image, module, secrets (names in the
Secret), env, grace, part (resources, nodeSelector, tolerations), and `more`, the name of a template
with further fields of the container. */}}
{{- define "fitserve.podSpec" -}}
automountServiceAccountToken: false
enableServiceLinks: false # a Service `fitserve` would set FITSERVE_PORT to its own URL
terminationGracePeriodSeconds: {{ .grace }}
{{- with .root.Values.serviceAccountName }}
serviceAccountName: {{ . | quote }}
{{- end }}
imagePullSecrets: {{ toJson .root.Values.imagePullSecrets }}
nodeSelector: {{ .part.nodeSelector | default dict | toJson }}
tolerations: {{ .part.tolerations | default list | toJson }}
securityContext: {runAsNonRoot: true, runAsUser: 10001, runAsGroup: 10001, fsGroup: 10001, seccompProfile: {type: RuntimeDefault}}
containers:
  - name: fitserve
    image: {{ .image | quote }}
    command: {{ toJson (concat (list "python" "-m") .module) }}
    env:
      - {name: FITSERVE_HOME, value: /data}
      {{- range $name, $value := merge .env .root.Values.settings }}
      - {name: {{ $name }}, value: {{ $value | quote }}}
      {{- end }}
      {{- range $name := .secrets }}
      - name: {{ $name }}
        valueFrom: {secretKeyRef: {name: {{ $.root.Values.secretName | quote }}, key: {{ $name }}, optional: {{ hasPrefix "AWS_" $name }}}}
      {{- end }}
    {{- with .more }}
    {{- include . $ | nindent 4 }}
    {{- end }}
    resources: {{ .part.resources | default dict | toJson }}
    securityContext: {readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
    volumeMounts: [{name: home, mountPath: /data}, {name: tmp, mountPath: /tmp}]
volumes:
  - {name: home, emptyDir: {sizeLimit: {{ .root.Values.homeSize }}}}
  - {name: tmp, emptyDir: {sizeLimit: {{ .root.Values.homeSize }}}}
{{- end }}
