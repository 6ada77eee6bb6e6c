// The example table, a file of the page: it needs no other server.

import { find, request, v1 } from "../api.js";

const FILE = "dashboard/examples/diabetes.csv";
const NAME = "diabetes-example";

/** Return `{ dataset }` if the example was uploaded before, else its `{ file }`. */
export async function exampleTable(signal) {
  const dataset = await find(v1("datasets", NAME), signal);
  if (dataset?.status === "ready") return { dataset };
  const content = await (await request(FILE, { signal })).blob();
  return { file: new File([content], `${NAME}.csv`, { type: "text/csv" }) };
}
