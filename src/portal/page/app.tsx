/** Who is here, and which view an address means. */
import { QueryClientProvider, useQuery } from "@tanstack/preact-query";
import { useMemo, useSyncExternalStore } from "preact/compat";
import { Redirect, Route, Router, Switch, useLocation } from "wouter-preact";
import { base, tenantAddresses, tenantIn } from "./addresses.ts";
import { api, ApiError, read } from "./api.ts";
import { Loading } from "./parts/loading.tsx";
import { Guarded, NotFound, ProblemNote } from "./parts/problem.tsx";
import { Toasts } from "./parts/toasts.tsx";
import { createQueries } from "./query.ts";
import { currentKey, onKeyChange, refuseKey } from "./session.ts";
import { Shell } from "./shell/shell.tsx";
import { SignIn } from "./shell/sign-in.tsx";
import { WhoProvider, type Who } from "./shell/who.tsx";
import { operatorRoutes, tenantRoutes } from "./routes.tsx";

export function App() {
  const key = useSyncExternalStore(onKeyChange, currentKey);
  // What was shown for one key is not there for the next.
  const queries = useMemo(() => createQueries(() => refuseKey(key)), [key]);
  return (
    <QueryClientProvider client={queries}>
      <Router base={base}>{key === undefined ? <SignIn /> : <SignedIn />}</Router>
      <Toasts />
    </QueryClientProvider>
  );
}

function SignedIn() {
  const { data, error, refetch } = useQuery({
    queryKey: ["who"],
    queryFn: ({ signal }) => read(api.GET("/keys/current", { signal })),
    staleTime: Infinity,
  });
  if (error instanceof ApiError) return <ProblemNote error={error} retry={refetch} />;
  if (data === undefined) return <Loading />;
  return (
    <WhoProvider value={data}>
      <Views who={data} />
    </WhoProvider>
  );
}

function Views({ who }: { who: Who }) {
  const [location] = useLocation();
  return (
    <Shell>
      <Guarded key={location}>
        <Switch>
          {tenantRoutes.map(({ path, view: View }) => (
            <Route key={path} path={`/tenants/:tenant${path}`}>
              {({ tenant: part, ...params }) => {
                const tenant = tenantIn(part ?? "");
                return tenant === undefined ? <NotFound /> : <View {...{ tenant, params }} />;
              }}
            </Route>
          ))}
          {who.tenant === null &&
            operatorRoutes.map(({ path, view: View }) => (
              <Route key={path} path={path}>
                <View />
              </Route>
            ))}
          {who.tenant !== null && (
            <Route path="/">
              <Redirect to={tenantAddresses(who.tenant).overview} replace />
            </Route>
          )}
          <Route>
            <NotFound />
          </Route>
        </Switch>
      </Guarded>
    </Shell>
  );
}
